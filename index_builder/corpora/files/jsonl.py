"""JSONL: one JSON object a line with ``id``, ``title``, ``text``, ``url``, ``blocks`` and any metadata."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, NoReturn

from common.compressed import DAMAGE, open_bytes
from common.errors import CorpusError
from index_builder.corpora.names import printable
from index_builder.corpora.types import Malformed, Record
from retriever.blocks import block_of_json
from retriever.metadata import MAX_DEPTH, nests_too_deeply
from retriever.types import Block, Document

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_DIGITS = 4000
OWN_KEYS = frozenset({"id", "title", "text", "url", "blocks"})
"""What of a record is no metadata."""


def read_jsonl(path: Path, name: str) -> Iterator[Record | Malformed]:
    """The documents of a JSONL file, plain or compressed with gzip or xz, a line at a time.

    ``id`` (a string, or a whole number) and ``text`` are required. A missing title is the id. ``blocks`` is the
    text's structure, where it is known. Every further key is metadata. Blank lines are passed over.

    Raises:
        CorpusError: when the file cannot be read.
    """
    shown, number = printable(name), 0
    try:
        with open_bytes(path) as file:
            for number, line in enumerate(file, start=1):
                line = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
                if line.strip():
                    yield _read_line(line, f"{shown}:{number}")
    except DAMAGE as error:
        yield Malformed(
            f"{shown}:{number + 1}",
            f"The compressed file is damaged or cut short here ({error}); the lines from here on are not "
            "read. Compress or copy it again.",
        )
    except OSError as error:
        raise CorpusError(
            f"The file {shown!r} cannot be read ({error.strerror}); give one that can."
        ) from error


def document_of(value: object) -> Document:
    """The document that a JSON value, or another row of such fields, describes.

    Raises:
        ValueError: with a sentence, when it describes none.
    """
    if not isinstance(value, dict):
        raise ValueError(f"The line is {shortened(value)}, but it must be a JSON object.")
    metadata = {key: entry for key, entry in value.items() if key not in OWN_KEYS}
    if nests_too_deeply(metadata):
        raise ValueError(
            f"The line's metadata nests lists or objects more than {MAX_DEPTH} deep; keep it flat."
        )
    _refuse_lone_surrogates(value)
    doc_id = _id(value)
    return Document(
        doc_id=doc_id,
        title=_optional_string(value, "title") or doc_id,
        text=_text(value),
        url=_optional_string(value, "url"),
        metadata=metadata,
        blocks=_blocks(value),
    )


def _read_line(line: bytes, location: str) -> Record | Malformed:
    try:
        return Record(document_of(_parsed(line)), location)
    except ValueError as error:
        return Malformed(location, str(error))
    except RecursionError:
        return Malformed(location, "The line nests lists or objects too deeply; keep metadata flat.")


def _parsed(line: bytes) -> object:
    """The line's JSON value; ValueError with a sentence when it is none that an index can keep."""
    try:
        return json.loads(
            line.decode(), parse_constant=_refuse_constant, parse_float=_finite, parse_int=_whole
        )
    except UnicodeDecodeError as error:
        byte = line[error.start]
        raise ValueError(
            f"The line has the byte 0x{byte:02x} at position {error.start + 1}, which is not UTF-8; "
            "save the file as UTF-8."
        ) from error
    except json.JSONDecodeError as error:
        raise ValueError(
            f"The line is not JSON ({error.msg} at column {error.colno}); write one whole object on each line."
        ) from error


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"The line holds {constant}, which is not JSON; write null or a number.")


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise ValueError(f"The line holds the number {literal}, which is too large; write a smaller one.")
    return number


def _whole(literal: str) -> int:
    if len(literal) > _DIGITS:
        raise ValueError(f"The line holds a number of {len(literal)} digits; {_DIGITS} are the most allowed.")
    return int(literal)


def _refuse_lone_surrogates(value: Mapping[str, Any]) -> None:
    for key, entry in value.items():
        written = json.dumps({key: entry}, ensure_ascii=False)
        try:
            written.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"The value of {key!a} or its name holds half a surrogate pair, "
                f"{written[error.start]!a}; write both halves, or the character itself."
            ) from error


def _id(value: Mapping[str, Any]) -> str:
    doc_id = value.get("id")
    if isinstance(doc_id, int) and not isinstance(doc_id, bool):
        return str(doc_id)
    if not isinstance(doc_id, str) or not doc_id.strip():
        raise ValueError(
            f"The line's id is {_described(value, 'id')}, but it must be a string that is not empty."
        )
    return doc_id


def _text(value: Mapping[str, Any]) -> str:
    text = value.get("text")
    if not isinstance(text, str):
        raise ValueError(f"The line's text is {_described(value, 'text')}, but it must be a string.")
    return text


def _blocks(value: Mapping[str, Any]) -> tuple[Block, ...]:
    entries = value.get("blocks") or []
    if not isinstance(entries, list):
        raise ValueError(f"The line's blocks are {shortened(entries)}, but they must be a list.")
    return tuple(map(block_of_json, entries))


def _optional_string(value: Mapping[str, Any], key: str) -> str | None:
    """The string under ``key``; None when it is absent, null or blank."""
    entry = value.get(key)
    if entry is not None and not isinstance(entry, str):
        raise ValueError(f"The line's {key} is {shortened(entry)}, but it must be a string or left out.")
    return entry if entry and entry.strip() else None


def _described(value: Mapping[str, Any], key: str) -> str:
    return shortened(value[key]) if key in value else "missing"
