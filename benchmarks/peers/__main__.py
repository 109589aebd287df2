"""Loccit beside others: the same passages, encoder, language model, questions and threads, each system as it comes.

``python -m benchmarks.peers run NAME...`` measures systems; ``table`` sets side by side what was measured.
docs/comparison.md has the figures.

Run it from the environment that Loccit is installed in. What is there already is not done again: an environment that
was made, answers that were written. Delete a file below runs/peers to have it made anew.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.peers.given import give
from benchmarks.peers.table import table
from common.errors import LoccitError

HERE = Path(__file__).parent
GIVEN, ENVIRONMENTS, RUNS = Path("build/peers-given"), Path("build/peers"), Path("runs/peers")
MODULES = {
    "loccit": "with_loccit",
    "loccit-reader": "with_loccit",
    "haystack": "with_haystack",
    "txtai": "with_txtai",
    "llamaindex": "with_llamaindex",
    "verbatim-rag": "with_verbatim_rag",
    "paper-qa": "with_paper_qa",
}
SERVER = Path("build/llama/bin/python")
"""Of the environment with a server for those that ask the language model by OpenAI's protocol."""
ASK_A_SERVER = {"verbatim-rag", "paper-qa"}
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "ANONYMIZED_TELEMETRY": "False",
    "TOKENIZERS_PARALLELISM": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "NO_PROXY": "127.0.0.1",
    "LANGUAGE_MODEL_SERVER": str(SERVER.absolute()),
}


def main() -> None:
    arguments = _arguments()
    if arguments.command == "table":
        print(table(RUNS))
        return
    try:
        give(arguments.index, GIVEN)
    except LoccitError as error:
        sys.exit(str(error))
    for name in arguments.names:
        _run(name, arguments)


def _run(name: str, arguments: argparse.Namespace) -> None:
    if name in ASK_A_SERVER and not SERVER.exists():
        sys.exit(f"{name} asks a server that is not installed; install it by `make build/llama/.installed`.")
    python = _python(name)
    for step in ("index", "answer"):
        if step == "index" and (RUNS / f"{name}.index.json").exists():
            continue
        print(f"{name}: {step}", file=sys.stderr, flush=True)
        command: list[Any] = [python, "-m", f"benchmarks.peers.{MODULES[name]}", name, step]
        command += ["--given", GIVEN, "--out", RUNS, "--core", arguments.core]
        if arguments.questions is not None:
            command += ["--questions", arguments.questions]
        one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        subprocess.run(list(map(str, command)), check=True, env={**os.environ, **OFFLINE, **one})
    _check(name)


def _python(name: str) -> str:
    """The Python of the peer's environment, made from its pinned packages where there is none; Loccit's is this one."""
    packages = HERE / "environments" / f"{name}.txt"
    if not packages.exists():
        return sys.executable
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    made = folder / ".installed"
    if not made.exists() or made.read_text(encoding="utf-8") != packages.read_text(encoding="utf-8"):
        print(f"{name}: installing {packages}", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        index = os.environ.get("TORCH_INDEX")
        if index:
            subprocess.run([*pip, "--index-url", index, "torch==2.13.0"], check=True)
        subprocess.run([*pip, "-r", str(packages)], check=True)
        made.write_text(packages.read_text(encoding="utf-8"), encoding="utf-8")
    return str(python)


def _check(name: str) -> None:
    """Whether every question that was to be asked has its line."""
    lines = (RUNS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    asked = {json.loads(line)["id"] for line in lines}
    print(f"{name}: {len(asked)} questions answered", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="measure systems")
    run.add_argument("names", nargs="+", choices=sorted(MODULES))
    run.add_argument("--index", type=Path, default=Path("data/indexes/vital-articles"))
    run.add_argument(
        "--questions", type=int, help="the first so many of the 150, which are mixed; all unless given"
    )
    run.add_argument("--core", type=int, default=0, help="the processor core that all of it is pinned to")
    commands.add_parser("table", help="set side by side what was measured")
    return parser.parse_args()


if __name__ == "__main__":
    main()
