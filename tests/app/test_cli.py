"""What holds for every command: help, sentences in the place of tracebacks, and what is loaded when."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from typer.main import get_command

from app.cli import cli
from app.service.settings import Settings
from common.progress import progress


def commands():
    def walk(command, path):
        if children := getattr(command, "commands", {}):
            for name, child in children.items():
                yield from walk(child, [*path, name])
        else:
            yield path, command

    return list(walk(get_command(cli), []))


@pytest.mark.parametrize(
    ("path", "command"), commands(), ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_every_help_has_an_example_that_begins_with_the_command(path, command):
    assert f"Example: loccit {' '.join(path)} " in command.help


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ask", " "), "The question is blank"),
        (("ask", "x" * 10_000), "The question has 10,000 characters"),
        (("ask", "a\0b"), "holds the control character U+0000 at offset 1"),
        (
            ("ask", "x", "--index", "nowhere"),
            "There is no index in nowhere; build one with `loccit index build",
        ),
        (("search", "x", "--index", "nowhere"), "There is no index in nowhere"),
        (("serve", "--index", "nowhere"), "There is no index in nowhere"),
        (("index", "info", "nowhere"), "There is no index in nowhere"),
        (("index", "build", "nowhere", "--out", "out"), "nowhere"),
        (("search", " "), "The question is blank"),
        (("search", "caf\udce9"), "holds the lone surrogate U+DCE9 at offset 3"),
        (("search", "x", "--top-k", "0"), "The setting top_k is 0"),
        (("ask", "x", "--top-k", "0"), "The setting top_k is 0"),
        (("ask", "x", "--top-k", "1000000"), "The setting top_k is 1000000"),
        (("ask", "x", "--min-confidence", "1.5"), "The setting min_confidence is 1.5"),
        (("evaluate", "score", "nowhere"), "nowhere holds no predictions"),
        (("evaluate", "predict", "nowhere", "--out", "out"), "cannot be read"),
        (
            ("index", "build", ".", "--out", "out", "--words", "0"),
            "Passage words must be a whole number of at least 1",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_a_failing_exit(loccit, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    status, out, said = loccit(*arguments)
    assert status == 1
    assert sentence in said
    assert "Traceback" not in said
    assert out == ""
    assert len(said.strip().splitlines()) == 1


def test_nothing_heavy_is_loaded_before_a_command_needs_it_nor_before_threads_are_told_to_wait():
    code = "import sys, app.cli; print([name for name in ('torch', 'faiss', 'numpy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_the_command_runs_as_a_program_and_ends_with_its_status():
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "ask", ""], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The question is blank")


def test_a_terminal_of_another_encoding_gets_escapes_in_place_of_a_traceback(tmp_path):
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "tower.md").write_text("The na\u00efve tower fell in 1703.", encoding="utf-8")
    (tmp_path / "answer.txt").write_text(
        'It says "the na\u00efve tower rose again in 1999" [1].', encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "check", "answer.txt", "--documents", "sources"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONPATH": str(Path.cwd())},
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert r"\u201cthe na\u00efve tower" in done.stdout


def test_a_failure_of_the_system_that_names_no_path_is_its_own_sentence(loccit, monkeypatch):
    def fail(*_: object):
        raise OSError("The model's file ends early.")

    monkeypatch.setattr("app.cli.checked_question", fail)
    assert loccit("search", "x") == (1, "", "The model's file ends early.\n")


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_names_a_job_in_brackets(terminal):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, color_system=None)
    with progress(console, "Reading [draft] :tram:", total=1) as advance:
        advance()
    assert "Reading [draft] :tram:" in console.file.getvalue()


@pytest.mark.parametrize("value", ["inf", "nan", "0", "-1"])
def test_the_time_allowed_is_a_finite_number_of_seconds(loccit, tmp_path, monkeypatch, value):
    monkeypatch.setenv("LOCCIT_TIMEOUT_S", value)
    status, out, said = loccit("search", "x", "--index", tmp_path)
    assert (status, out) == (1, "")
    assert said.startswith(f"The setting timeout_s is {value!r}: ")


def test_the_settings_and_the_help_promise_the_same_language_models():
    promise = "a .gguf file of Gemma 3 or SmolLM2, or a causal LM by folder or hub name."
    assert promise in Settings.model_fields["language_model"].description
    helps = {
        " ".join(path): option.help
        for path, command in commands()
        for option in command.params
        if option.name == "language_model"
    }
    assert helps.keys() == {
        "ask",
        "mcp",
        "serve",
        "calibrate",
        "evaluate predict",
        "evaluate nq",
        "train adapter",
        "train confidence",
        "train lm-head",
        "train retrofit-data",
        "train retrofit",
        "train retrofit-report",
        "train retrofit-answers",
    }
    assert all(promise in said for said in helps.values())
