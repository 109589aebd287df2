"""Answers of a JSON Lines file: what is to be checked."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, BinaryIO

from common.compressed import DAMAGE, open_bytes
from common.errors import LoccitError
from quote_check.check import QuoteToCheck
from quote_check.check_answer import AnswerToCheck, GivenClaim
from retriever.types import Document

STANDARD_INPUT = "-"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_FORM = '{"quotes": [{"quote": "...", "document_id": "...", "start": 0, "end": 9}]}'


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """An answer of a file, under its id."""

    id: str
    answer: AnswerToCheck


def read_records(file: str) -> Iterator[AnswerRecord]:
    """The answers of a JSON Lines file (plain, .gz or .xz), or of standard input (``-``), a line at a time.

    A line is an object with any of ``answer`` (a text), ``quotes`` (objects with a ``quote`` and optionally
    ``document_id``, ``start`` and ``end``) and ``claims`` (objects with a ``claim``, and optionally ``quotes`` and
    ``document_ids``). The lines that Loccit itself writes are read as well: responses (``citations`` that have
    quotes, or stand beside ``short_answer`` or ``abstained``) and predictions (``trace``). ``id``, ``question``,
    ``documents`` and ``sources`` are optional; further keys are ignored and blank lines passed over. A file that is
    one JSON object on several lines is one answer.

    Raises:
        LoccitError: naming the first line that is not such an answer, or when the file cannot be read.
    """
    name = "standard input" if file == STANDARD_INPUT else file
    number = 0
    try:
        with _opened(file) as lines:
            for number, line in enumerate(lines, start=1):
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)
                    line += lines.read() if line.strip() == b"{" else b""
                if line.strip():
                    yield _record(line, number, f"{name}:{number}")
    except DAMAGE as error:
        raise LoccitError(
            f"{name}:{number + 1}: the compressed file is damaged or cut short here ({error}); compress or copy "
            "it again."
        ) from error
    except OSError as error:
        raise LoccitError(
            f"The answers {name!r} cannot be read ({error.strerror}); give a JSONL file, or - for standard input."
        ) from error


def _opened(file: str) -> AbstractContextManager[BinaryIO]:
    if file == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    return open_bytes(Path(file))


def _record(line: bytes, number: int, location: str) -> AnswerRecord:
    try:
        record = _object(line)
        return AnswerRecord(_identifier(record, "id") or f"line-{number}", _answer(record))
    except _MalformedError as error:
        raise LoccitError(f"{location}: {error}") from error


def _answer(record: Mapping[str, Any]) -> AnswerToCheck:
    quotes = _listed(record, "quotes")
    claims = _listed(record, "claims")
    if quotes is None:
        quotes = _own_citations(record)
    text = _text(record, "answer") if quotes is None else ""
    if text is None and quotes is None and claims is None:
        raise _MalformedError(
            f"the line has no answer, quotes or claims; it needs the form {_FORM}, with an empty list where it quotes "
            "none."
        )
    documents = _listed(record, "documents")
    return AnswerToCheck(
        text=text or "",
        quotes=tuple(_quote(entry, f"quote {place}") for place, entry in enumerate(quotes or [], start=1)),
        claims=tuple(_claim(entry, f"claim {place}") for place, entry in enumerate(claims or [], start=1)),
        question=_text(record, "question") or "",
        documents=None if not documents else _documents(documents),
        sources=_sources(record),
    )


def _own_citations(record: Mapping[str, Any]) -> list[Any] | None:
    """Where Loccit's responses and predictions have their quotes. Other systems' ``citations`` are none."""
    entries = record.get("citations")
    has_quotes = isinstance(entries, list) and any(
        isinstance(entry, dict) and isinstance(entry.get("quote"), str) for entry in entries
    )
    if has_quotes or "short_answer" in record or "abstained" in record:
        return _listed(record, "citations")
    decision = _inner(_inner(record, "trace"), "decision")
    return _listed(decision, "citations", "trace.decision.citations")


def _listed(record: Mapping[str, Any], key: str, name: str | None = None) -> list[Any] | None:
    entries = record.get(key)
    if entries is None or isinstance(entries, list):
        return entries
    raise _MalformedError(f"{name or key} is {shortened(entries)}, but it must be a list, such as {_FORM}.")


def _text(record: Mapping[str, Any], key: str) -> str | None:
    value = record.get(key)
    if value is not None and not isinstance(value, str):
        raise _MalformedError(f"its {key} is {shortened(value)}, but it must be a string or left out.")
    if value:
        _refuse_lone_surrogate(key, value)
    return value


def _documents(entries: Sequence[Any]) -> tuple[Document, ...]:
    given = []
    for place, entry in enumerate(entries, start=1):
        try:
            if not isinstance(entry, dict) or not isinstance(entry.get("text"), str):
                raise _MalformedError(f'it is {shortened(entry)}, but it must be an object with a "text".')
            doc_id = _identifier(entry, "document_id") or _identifier(entry, "id") or f"document-{place}"
            text = _text(entry, "text") or ""
            given.append(Document(doc_id, _text(entry, "title") or "", text, _text(entry, "url")))
        except _MalformedError as error:
            raise _MalformedError(f"document {place}: {error}") from error
    ids = [document.doc_id for document in given]
    if len(set(ids)) < len(ids):
        twice = next(doc_id for doc_id in ids if ids.count(doc_id) > 1)
        raise _MalformedError(f"two documents have the id {twice!r}; give each its own, or none.")
    return tuple(given)


def _sources(record: Mapping[str, Any]) -> dict[str, str]:
    """What marks cite: objects with a ``mark`` and a ``document_id``. Other systems' lists of this name are none."""
    entries = record.get("sources")
    given = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return {
        mark: document_id
        for entry in given
        if (mark := _identifier(entry, "mark")) and (document_id := _identifier(entry, "document_id"))
    }


def _claim(entry: object, name: str) -> GivenClaim:
    try:
        if not isinstance(entry, dict):
            raise _MalformedError(f'it is {shortened(entry)}, but it must be an object with a "claim".')
        text = _text(entry, "claim")
        if text is None:
            raise _MalformedError("its claim is missing, but it must be a string.")
        ids = _listed(entry, "document_ids") or []
        if not all(isinstance(doc_id, str) for doc_id in ids):
            raise _MalformedError(f"its document_ids are {shortened(ids)}, but each must be a string.")
        quotes = _listed(entry, "quotes") or []
        return GivenClaim(
            text,
            tuple(_quote(quote, f"quote {place}") for place, quote in enumerate(quotes, start=1)),
            tuple(ids),
        )
    except _MalformedError as error:
        raise _MalformedError(f"{name}: {error}") from error


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


def _inner(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = record.get(key)
    return inner if isinstance(inner, dict) else {}


def _quote(entry: object, name: str) -> QuoteToCheck:
    try:
        if not isinstance(entry, dict):
            raise _MalformedError(f'it is {shortened(entry)}, but it must be an object with a "quote".')
        text = entry.get("quote")
        if not isinstance(text, str):
            raise _MalformedError(f"its quote is {_described(entry, 'quote')}, but it must be a string.")
        _refuse_lone_surrogate("quote", text)
        document_id = _identifier(entry, "document_id")
        ids = () if document_id is None else (document_id,)
        return QuoteToCheck(text, ids, _offsets(entry, document_id))
    except _MalformedError as error:
        raise _MalformedError(f"{name}: {error}") from error


def _identifier(record: Mapping[str, Any], key: str) -> str | None:
    """The string or whole number under ``key``; None when it is absent, null or empty."""
    value = record.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _text(record, key) or None


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
