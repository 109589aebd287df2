"""The records of a question file: JSONL, one JSON object, or a table in CSV, compressed or not."""

import codecs
import csv
import gzip
import json
from collections.abc import Iterator
from io import StringIO

from common.compressed import DAMAGE, from_xz
from common.errors import LoccitError
from evaluation.question_sets.record import Record

_GZIP, _XZ = b"\x1f\x8b", b"\xfd7zXZ\x00"


def records_of(content: bytes, name: str) -> Iterator[Record]:
    """The records of a file's bytes, in order; what the file is shows in them, not in its name.

    ``name``: what messages call the file. Raises LoccitError, naming the line, where it cannot be read.
    """
    text = _text(_decompressed(content, name), name)
    if text.lstrip()[:1] in ("{", "["):
        yield from _of_json(text, name)
    elif text.strip():
        yield from _of_table(text, name)


def _decompressed(content: bytes, name: str) -> bytes:
    try:
        if content.startswith(_GZIP):
            return gzip.decompress(content)
        if content.startswith(_XZ):
            return from_xz(content)
    except DAMAGE as error:
        raise LoccitError(
            f"{name}: the compressed file is damaged or cut short ({error}); compress or copy it again."
        ) from error
    return content


def _text(content: bytes, name: str) -> str:
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise LoccitError(
            f"{name}:{line} holds the byte 0x{error.object[error.start]:02x}, which is not UTF-8 there; "
            "save the file as UTF-8."
        ) from error


def _of_json(text: str, name: str) -> Iterator[Record]:
    """One object a line; or one in all, when it is written over several lines."""
    if _is_one_value(text):
        yield Record.of(_parsed(text, name, 1), 1, f"{name}:1")
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield Record.of(_parsed(line, name, number), number, f"{name}:{number}")


def _is_one_value(text: str) -> bool:
    """Whether JSON begins with a line that is not whole by itself: an opening bracket, or what goes on below."""
    opening = text.lstrip().split("\n", 1)[0].strip()
    return opening in ("{", "[") or (not _is_json(opening) and _is_json(text))


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _parsed(text: str, name: str, line: int) -> object:
    """The JSON value of a text that begins on this line of the file."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise LoccitError(
            f"{name}:{line + error.lineno - 1} is not JSON ({error.msg} at column {error.colno}); "
            "write one whole object a line."
        ) from error
    except (ValueError, RecursionError) as error:
        raise LoccitError(f"{name}:{line} cannot be read as JSON ({error}).") from error


def _of_table(text: str, name: str) -> Iterator[Record]:
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        header = next(reader)
        if len(header) < 2:
            raise LoccitError(
                f"{name}:1 is neither a JSON object nor the header of a CSV table; write either."
            )
        line = reader.line_num + 1
        for row in reader:
            if row:
                yield _row(header, row, line, f"{name}:{line}")
            line = reader.line_num + 1
    except csv.Error as error:
        raise LoccitError(f"{name}:{reader.line_num} is not a row of a CSV table ({error}).") from error


def _row(header: list[str], row: list[str], line: int, location: str) -> Record:
    if len(row) != len(header):
        raise LoccitError(
            f"{location} has {len(row)} columns, but the header of the table has {len(header)}; "
            "put a cell with commas or line ends in double quotes."
        )
    return Record(dict(zip(header, row, strict=True)), line, location)
