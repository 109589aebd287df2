"""The quotes that somebody's answers claim: what is to be checked, read from JSONL."""

import gzip
import json
import lzma
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, BinaryIO

from common.errors import LoccitError
from common.files import DAMAGE, open_bytes

STANDARD_INPUT = "-"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FORM = '{"quotes": [{"quote": "...", "document_id": "...", "start": 0, "end": 9}]}'


@dataclass(frozen=True, slots=True)
class ClaimedQuote:
    """What is said to stand somewhere, unchecked.

    ``number``: 1 is the answer's first quote. ``document_id`` None: no document is named. ``offsets``: the
    claimed start and end, any two whole numbers; None when no place is claimed.
    """

    text: str
    document_id: str | None = None
    offsets: tuple[int, int] | None = None
    answer_id: str = ""
    number: int = 1


@dataclass(frozen=True, slots=True)
class QuotedAnswer:
    """An answer's quotes, which may be none."""

    id: str
    quotes: tuple[ClaimedQuote, ...]


def read_answers(file: str) -> Iterator[QuotedAnswer]:
    """The answers of a JSONL file (plain, .gz or .xz), or of standard input (``-``), a line at a time.

    A line is an object with ``quotes``: objects with a ``quote`` and optionally ``document_id``, ``start`` and
    ``end``. The lines that Loccit itself writes are read as well: responses (``citations``) and predictions
    (``trace``). ``id`` is optional; further keys are ignored and blank lines passed over.

    Raises:
        LoccitError: naming the first line that is not such an answer, or when the file cannot be read.
    """
    name = "standard input" if file == STANDARD_INPUT else file
    number = 0
    try:
        with _opened(file) as lines:
            for number, line in enumerate(lines, start=1):
                line = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
                if line.strip():
                    yield _answer(line, number, f"{name}:{number}")
    except DAMAGE as error:
        raise LoccitError(
            f"{name}:{number + 1}: the compressed file is damaged or cut short here ({error}); compress or copy "
            "it again."
        ) from error
    except OSError as error:
        raise LoccitError(
            f"The answers {name!r} cannot be read ({error.strerror}); give a JSONL file, or - for standard input."
        ) from error


def _opened(file: str) -> AbstractContextManager[BinaryIO | gzip.GzipFile | lzma.LZMAFile]:
    if file == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    return open_bytes(Path(file))


def _answer(line: bytes, number: int, location: str) -> QuotedAnswer:
    try:
        record = _object(line)
        answer_id = _identifier(record, "id") or f"line-{number}"
        entries = _quotes(record)
        return QuotedAnswer(
            answer_id,
            tuple(_quote(entry, answer_id, place) for place, entry in enumerate(entries, start=1)),
        )
    except _MalformedError as error:
        raise LoccitError(f"{location}: {error}") from error


class _MalformedError(Exception):
    """A sentence about a line."""


def _object(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line.rstrip(b"\r\n").decode())
    except UnicodeDecodeError as error:
        raise _MalformedError(
            f"the byte 0x{line[error.start]:02x} at position {error.start + 1} is not UTF-8; save the file as UTF-8."
        ) from error
    except json.JSONDecodeError as error:
        raise _MalformedError(
            f"the line is not JSON ({error.msg} at column {error.colno}); write one whole object on each line."
        ) from error
    except (RecursionError, ValueError) as error:
        raise _MalformedError(
            f"the line nests too deeply or holds too long a number; write it as {_FORM}."
        ) from error
    if not isinstance(record, dict):
        raise _MalformedError(
            f"the line is {shortened(record)}, but it must be a JSON object such as {_FORM}."
        )
    return record


def _quotes(record: Mapping[str, Any]) -> list[Any]:
    """The entries under ``quotes``, or where Loccit's responses and predictions have them."""
    if record.get("documents"):
        raise _MalformedError(
            "the answer comes from documents of its own, which are in no index; leave such lines out."
        )
    for key, holder in (
        ("quotes", record),
        ("citations", record),
        ("trace.decision.citations", _inner(_inner(record, "trace"), "decision")),
    ):
        entries = holder.get(key.rpartition(".")[2])
        if isinstance(entries, list):
            return entries
        if entries is not None:
            raise _MalformedError(f"{key} is {shortened(entries)}, but it must be a list, such as {_FORM}.")
    raise _MalformedError(
        f"the line has no quotes; it needs the form {_FORM}, with an empty list where it quotes none."
    )


def _inner(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = record.get(key)
    return inner if isinstance(inner, dict) else {}


def _quote(entry: object, answer_id: str, number: int) -> ClaimedQuote:
    try:
        if not isinstance(entry, dict):
            raise _MalformedError(f'it is {shortened(entry)}, but it must be an object with a "quote".')
        text = entry.get("quote")
        if not isinstance(text, str):
            raise _MalformedError(f"its quote is {_described(entry, 'quote')}, but it must be a string.")
        _refuse_lone_surrogate("quote", text)
        document_id = _identifier(entry, "document_id")
        return ClaimedQuote(text, document_id, _offsets(entry, document_id), answer_id, number)
    except _MalformedError as error:
        raise _MalformedError(f"quote {number}: {error}") from error


def _identifier(record: Mapping[str, Any], key: str) -> str | None:
    """The string or whole number under ``key``; None when it is absent, null or empty."""
    value = record.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if value is not None and not isinstance(value, str):
        raise _MalformedError(f"its {key} is {shortened(value)}, but it must be a string or left out.")
    if value:
        _refuse_lone_surrogate(key, value)
    return value or None


def _offsets(entry: Mapping[str, Any], document_id: str | None) -> tuple[int, int] | None:
    start, end = entry.get("start"), entry.get("end")
    if start is None and end is None:
        return None
    if type(start) is not int or type(end) is not int:  # a bool is no offset
        raise _MalformedError(
            f"its start is {shortened(start)} and its end {shortened(end)}, but they must be two whole numbers, "
            "or both left out."
        )
    if document_id is None:
        raise _MalformedError(
            "it has start and end but no document_id that they count in; name the document, or leave them out."
        )
    return start, end


def _refuse_lone_surrogate(key: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _MalformedError(
            f"its {key} holds half a surrogate pair, {value[error.start]!a}; write both halves, or the "
            "character itself (was it cut in UTF-16 units?)."
        ) from error


def _described(value: Mapping[str, Any], key: str) -> str:
    return shortened(value[key]) if key in value else "missing"
