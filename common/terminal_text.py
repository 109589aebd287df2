"""Text from documents, file names and questions on its way to a terminal, which obeys what it is sent.

A control character moves the cursor, renames the window or rewrites what was printed before; an override of the
writing direction shows words in another order. Both are written out instead: ``\\x1b``, ``\\u202e``. So is what a
terminal of another encoding than UTF-8 has no code for: ``\\u201c``.
"""

import codecs
import io
import json
import re
from typing import Any, TextIO

from rich.text import Text

_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f"
_INVISIBLE = r"\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
"""Ends of lines by other names, embeddings, overrides and isolates of direction, and halves of characters."""
_IN_LINES = re.compile(f"[{_CONTROLS}{_INVISIBLE}]")
_IN_A_LINE = re.compile(rf"[\t\n{_CONTROLS}{_INVISIBLE}]")
_UNCODED = "loccit-written-out"
_SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def escaped(text: str) -> str:
    """On one line: every control character, tabs and ends of lines included, and every override written out."""
    return _IN_A_LINE.sub(_written_out, text)


def escaped_lines(text: str) -> str:
    """The same, but lines stay lines and tabs stay tabs."""
    return _IN_LINES.sub(_written_out, text.replace("\r\n", "\n"))


def plain(text: str, style: str = "") -> Text:
    """``escaped`` for rich, which finds no markup in it and highlights nothing."""
    return Text(escaped(text), style=style)


def plain_lines(text: str, style: str = "") -> Text:
    """``escaped_lines`` for rich."""
    return Text(escaped_lines(text), style=style)


def json_line(value: Any) -> str:  # noqa: ANN401 - whatever JSON can hold
    """``value`` as JSON on one line; what a terminal would obey stands in it as JSON's own escapes."""
    return _IN_A_LINE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def write_out_what_has_no_code(*streams: TextIO) -> None:
    """From now on these streams write a character that their encoding lacks as JSON does, in place of failing."""
    codecs.register_error(_UNCODED, _as_in_json)
    for stream in streams:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_UNCODED)


def _as_in_json(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4)), error.end


def _written_out(found: re.Match[str]) -> str:
    character, code = found[0], ord(found[0])
    return _SHORT.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
