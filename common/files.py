"""Files: there whole or not at all, compressed or not, and JSON Lines in them."""

import gzip
import json
import lzma
import os
import secrets
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from common.errors import LoccitError

Record = dict[str, Any]

DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError)
"""What reading a compressed file raises where it is damaged or cut short."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to: on disk it takes that place when the block ends well, else it is gone."""
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def open_bytes(path: Path) -> BinaryIO | gzip.GzipFile | lzma.LZMAFile:
    """The file's bytes as a stream, decompressed where its name ends in .gz or .xz; OSError when it cannot be had."""
    name = path.name.lower()
    if name.endswith(".gz"):
        return gzip.open(path, "rb")
    if name.endswith(".xz"):
        return lzma.open(path, "rb")
    return path.open("rb")


def records(path: Path) -> Iterator[Record]:
    """The objects of a ``.jsonl``, ``.jsonl.gz`` or ``.jsonl.xz`` file, in order.

    Raises:
        LoccitError: when the file is missing, damaged, or a line is not a JSON object.
    """
    number = 0
    try:
        with _opened(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _object(line, f"{path}:{number}")
    except (OSError, *DAMAGE, UnicodeDecodeError) as error:
        raise LoccitError(f"{path} cannot be read beyond line {number} ({error}); copy it again.") from error


def _opened(path: Path) -> TextIO:
    return TextIOWrapper(open_bytes(path), encoding="utf-8", newline="\n")


def _object(line: str, place: str) -> Record:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise LoccitError(f"{place} is not JSON ({error.msg}); write one whole object a line.") from error
    if not isinstance(value, dict):
        raise LoccitError(f"{place} must be a JSON object.")
    return value
