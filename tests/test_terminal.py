"""Whatever documents, files and questions hold, no command sends it to a terminal raw."""

import ast
import io
import json

import httpx
import pytest
from rich.console import Console

from app.http import client
from common.progress import progress
from tests.test_architecture import ROOT, files

TITLE = "\x1b]0;owned\x07"
CLEAR = "\x1b[2J\x1b[H"
C1 = "\x9b31m\x85"
BIDI = "\u202eelttil\u2066"
HOSTILE = f"{TITLE}{CLEAR}{C1}{BIDI}\r[red]R[/red]"
STEERING = {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u2028", "\u2029"} - {"\n", "\t"} | {
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2066, 0x206A)),
}
SENTENCE = f"Henry Winstanley {HOSTILE} built the Eddystone tower in 1698."


def steering(*outputs: str) -> set[str]:
    return {character for output in outputs for character in output if character in STEERING}


@pytest.fixture
def corpus(tmp_path):
    """One good document and one that is left out, all of it hostile, its file's name and its terms, too."""
    file = tmp_path / f"x{TITLE}{BIDI}.jsonl"
    good = {"id": f"d{HOSTILE}", "title": f"Eddystone {HOSTILE}", "text": SENTENCE, "url": f"x:{HOSTILE}"}
    bad = {"id": f"e{HOSTILE}", "title": "", "text": 3, HOSTILE: 1}
    file.write_text(json.dumps(good) + "\n" + json.dumps(bad) + "\n" + HOSTILE.replace("\r", "") + "\n")
    file.with_name(f"{file.name}.terms.json").write_text(
        json.dumps({"licence": f"L{HOSTILE}", "attribution": f"A{HOSTILE}"})
    )
    return file


@pytest.fixture
def index(loccit, corpus, tmp_path):
    folder = tmp_path / f"i{TITLE}"
    status, out, said = loccit("index", "build", corpus, "--out", folder, "--encoder", "hashing")
    assert status == 0, said
    assert steering(out, said) == set()
    assert r"Left out x\x1b]0;owned\x07" in said.replace("\n", "")
    return folder


ANSWERING = ("--generator", "reader", "--reader", "lexical", "--min-confidence", 0)
ASKED = f"who built the Eddystone tower {BIDI} [red]R[/red]"  # other control characters are refused


def test_building_describing_and_verifying_an_index(loccit, index):
    for command in ("info", "verify"):
        status, out, said = loccit("index", command, index)
        assert status == 0, said
        assert steering(out, said) == set()
        assert r"\x1b]0;owned\x07" in out.replace("\n", "")


def test_a_strict_build_that_stops(loccit, corpus, tmp_path):
    status, out, said = loccit(
        "index", "build", corpus, "--out", tmp_path / "j", "--encoder", "hashing", "--strict"
    )
    assert status == 1
    assert steering(out, said) == set()
    assert r"\x1b]0;owned\x07" in said


def test_files_of_a_folder_that_are_passed_over(loccit, tmp_path):
    hostile = HOSTILE.replace("/", "")
    folder = tmp_path / f"f{hostile}"
    folder.mkdir()
    (folder / "a.txt").write_text("A horse tram.")
    (folder / f"b.{TITLE}").write_text("x")
    (folder / f"c{hostile}.txt").write_bytes(b"\xff\x1b")
    status, out, said = loccit("index", "build", folder, "--out", tmp_path / "k", "--encoder", "hashing")
    assert status == 0, said
    assert steering(out, said) == set()
    assert "Passed over in" in said


def test_searching(loccit, index):
    status, out, said = loccit("search", ASKED, "--index", index)
    assert status == 0, said
    assert steering(out, said) == set()
    assert r"1. Eddystone \x1b]0;owned\x07\x1b[2J" in out
    assert r"Henry Winstanley \x1b]0;owned\x07" in out.replace("\n", "")
    assert r"A\x1b]0;owned" in out.replace("\n", "")


@pytest.mark.parametrize("length", ["short", "long"])
def test_asking(loccit, index, length):
    status, out, said = loccit("ask", ASKED, "--index", index, *ANSWERING, "--length", length)
    assert status == 0, said
    assert steering(out, said) == set()
    assert r"\x1b]0;owned\x07" in out
    assert r"\u202eelttil\u2066" in out
    assert "[red]R[/red]" in out


def test_asking_in_json_is_exact_and_steers_nothing(loccit, index):
    status, out, said = loccit("ask", ASKED, "--index", index, *ANSWERING, "--json")
    assert status == 0, said
    assert steering(out, said) == set()
    [citation] = json.loads(out)["citations"]
    assert citation["document_id"] == f"d{HOSTILE}"
    assert SENTENCE[citation["start"] : citation["end"]] == citation["quote"]


def test_a_question_that_is_refused(loccit, index):
    status, out, said = loccit("ask", f"who {HOSTILE}", "--index", index, *ANSWERING)
    assert status == 1
    assert steering(out, said) == set()


def test_a_servers_own_words(loccit, monkeypatch):
    refusal = httpx.Response(422, json={"detail": f"No.{HOSTILE}"})
    monkeypatch.setattr(client.httpx, "post", lambda *_, **__: refusal)
    status, out, said = loccit("ask", "x", "--server", f"http://h{TITLE}")
    assert status == 1
    assert steering(out, said) == set()
    assert said.startswith(r"No.\x1b]0;owned\x07")


def test_checking_quotes(loccit, index, tmp_path):
    answers = tmp_path / "answers.jsonl"
    claims = [
        {"quote": f"{SENTENCE} It fell.", "document_id": f"d{HOSTILE}"},
        {"quote": f"nowhere {HOSTILE}", "document_id": f"no{HOSTILE}", "start": 1, "end": 9},
        {"quote": SENTENCE, "document_id": f"other{HOSTILE}"},
    ]
    answers.write_text(json.dumps({"id": f"q{HOSTILE}", "quotes": claims}) + "\n")
    status, out, said = loccit("check", answers, "--index", index, "--fail-on", "none")
    assert status == 0, said
    assert steering(out, said) == set()
    assert r"q\x1b]0;owned\x07" in out
    assert r"Winstanley \x1b]0;owned\x07" in out.replace("\n", "")
    written = tmp_path / "report.json"
    loccit("check", answers, "--index", index, "--format", "json", "--out", written)
    (checked,) = json.loads(written.read_text())["answers"]
    assert [one["quote"] for one in checked["quotes"]] == [one["quote"] for one in claims]


def test_evaluating(loccit, index, tmp_path):
    questions = tmp_path / f"questions{TITLE}.jsonl"
    lines = [
        {"question": f"{ASKED} {n}", "answers": [f"Henry{HOSTILE}"], "kind": f"k{HOSTILE}"} for n in range(3)
    ]
    questions.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run = tmp_path / f"run{TITLE}"
    status, out, said = loccit(
        "evaluate", "nq", questions, "--index", index, *ANSWERING[:-2], "--out", run, "--confidence", "score"
    )
    assert status == 0, said
    assert steering(out, said) == set()
    assert r"run\x1b]0;owned\x07" in out.replace("\n", "")
    status, out, said = loccit("evaluate", "compare", run, run)
    assert steering(out, said) == set()


def test_an_error_about_a_file(loccit, tmp_path):
    for arguments in (
        ("index", "info", tmp_path / HOSTILE.replace("/", "")),
        ("check", tmp_path / f"no{TITLE}", "--index", tmp_path),
        ("keys", "add", HOSTILE, "--key-file", tmp_path / "keys"),
    ):
        status, out, said = loccit(*arguments)
        assert status == (2 if arguments[0] == "check" else 1)
        assert steering(out, said) == set()


@pytest.mark.parametrize("terminal", [True, False])
def test_progress(terminal):
    console = Console(file=io.StringIO(), force_terminal=terminal, width=200, color_system=None)
    with progress(console, f"Reading {TITLE}{BIDI}", total=1) as advance:
        advance()
    shown = console.file.getvalue()
    assert r"Reading \x1b]0;owned\x07\u202eelttil\u2066" in shown
    assert TITLE not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize("path", files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_text_for_a_terminal_is_made_in_one_place(path):
    """rich's Text holds what it is given raw, so elsewhere it is made of constants alone."""
    if path.name == "terminal_text.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    raw = [
        call.lineno
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and (
            (ast.unparse(call.func) == "Text" and call.args and not isinstance(call.args[0], ast.Constant))
            or (
                ast.unparse(call.func) == "console.print"
                and call.args
                and isinstance(call.args[0], ast.JoinedStr)
            )
        )
    ]
    assert raw == []
