"""What a terminal would obey is written out, everything else stays."""

import io
import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from common.terminal_text import (
    escaped,
    escaped_lines,
    json_line,
    plain,
    plain_lines,
    write_out_what_has_no_code,
)

OVERRIDES = [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x1b[2J\x9b31m", r"\x1b[2J\x9b31m"),
        ("\u202eelttil", r"\u202eelttil"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\ud800", r"\ud800"),
        ("line\u2028end", r"line\u2028end"),
        ("café 👩‍👩‍👧 [bold]x[/bold] :tram: \\n", "café 👩‍👩‍👧 [bold]x[/bold] :tram: \\n"),
    ],
)
def test_on_one_line_what_a_terminal_would_obey_is_written_out(text, shown):
    assert escaped(text) == shown


def test_lines_stay_lines_and_tabs_stay_tabs_where_a_text_is_shown():
    assert escaped_lines("a\r\n\tb\nc\rd\x1b") == "a\n\tb\nc\\rd\\x1b"


@given(
    st.text(alphabet=st.one_of(st.characters(), st.sampled_from([*OVERRIDES, "\x1b", "\x9b", "\n", "\r"])))
)
def test_nothing_that_steers_a_terminal_is_left_of_any_text(text):
    for shown, kept in ((escaped(text), ""), (escaped_lines(text), "\n\t")):
        steering = [c for c in shown if unicodedata.category(c) in {"Cc", "Cs"} or c in OVERRIDES]
        assert set(steering) <= set(kept)


def test_rich_finds_no_markup_and_no_control_in_it():
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=60)
    console.print(plain("[red]x[/red] \x1b[31m :tram:"))
    console.print(plain_lines("[link=x]\na\x1b"))
    assert console.file.getvalue() == "[red]x[/red] \\x1b[31m :tram:\n[link=x]\na\\x1b\n"


@given(st.text())
def test_json_is_the_same_json_and_steers_no_terminal(text):
    line = json_line({"text": text, "\x9b": ["\u202e"]})
    assert json.loads(line) == {"text": text, "\x9b": ["\u202e"]}
    assert escaped(line) == line


def test_json_keeps_the_letters_of_every_script():
    assert json_line({"é": "😀"}) == '{"é": "😀"}'


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("ascii", r'{"a": "\u201cna\u00efve\u201d \ud83d\uddfc"}'),
        ("latin-1", r'{"a": "\u201cnaïve\u201d \ud83d\uddfc"}'),
        ("utf-8", '{"a": "\u201cnaïve\u201d \U0001f5fc"}'),
    ],
)
def test_what_an_encoding_lacks_is_written_as_json_does(encoding, written):
    value = {"a": "\u201cnaïve\u201d \U0001f5fc"}
    kept = io.BytesIO()
    stream = io.TextIOWrapper(kept, encoding=encoding)
    write_out_what_has_no_code(stream)
    stream.write(json_line(value))
    stream.flush()
    assert kept.getvalue().decode(encoding) == written
    assert json.loads(written) == value


def test_half_a_character_of_a_file_name_is_written_out_too():
    kept = io.BytesIO()
    stream = io.TextIOWrapper(kept, encoding="utf-8")
    write_out_what_has_no_code(stream, io.StringIO())
    stream.write("caf\udce9")
    stream.flush()
    assert kept.getvalue() == rb"caf\udce9"
