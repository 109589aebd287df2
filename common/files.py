"""Files and folders: there whole or not at all, and JSON Lines in them."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from reprlib import repr as shortened
from typing import Any, TextIO

from common.compressed import DAMAGE, open_bytes
from common.errors import LoccitError

Record = dict[str, Any]

UNFINISHED = ".unfinished-"
"""How the name of a folder begins until the folder is whole."""


def flush(path: Path) -> None:
    """Wait until this file, or the list of names in this folder, is on disk.

    A renamed or new file is on disk only once the folder that names it is flushed, too.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write a file to.

    When the block ends well, the file is on disk and takes the place of ``path`` in one step. When it fails, the
    file is removed, and ``path`` is as it was.
    """
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        yield unfinished
        flush(unfinished)
        unfinished.replace(path)
        flush(path.parent)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside ``path`` to fill.

    When the block ends well, every file in it is on disk, and the folder is renamed to ``path``, where nothing may
    lie yet. When it fails, the folder is removed. A killed process leaves it behind: ``remove_unfinished``.
    """
    unfinished = path.with_name(f"{UNFINISHED}{path.name}.{secrets.token_hex(4)}")
    unfinished.mkdir()
    try:
        yield unfinished
        for entry in (*unfinished.rglob("*"), unfinished):
            flush(entry)
        unfinished.rename(path)
        flush(path.parent)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def remove_unfinished(parent: Path, name: str = "") -> None:
    """Remove what killed processes left of whole folders in ``parent``: of the one called ``name``, or of all.

    The caller holds a lock, so that no other process is filling such a folder now.
    """
    for leftover in parent.glob(f"{UNFINISHED}{name}{'.' if name else ''}*"):
        shutil.rmtree(leftover)


def cut_half_line(path: Path) -> None:
    """Cut off a last line without its end, which an interruption left."""
    written = path.read_bytes()
    whole = written.rfind(b"\n") + 1
    if whole < len(written):
        with path.open("r+b") as file:
            file.truncate(whole)


def records(path: Path) -> Iterator[Record]:
    """The objects of a ``.jsonl``, ``.jsonl.gz`` or ``.jsonl.xz`` file, one a line, in order.

    Blank lines are passed over. The first line that is no object ends the reading with an error: a reader that
    leaves such lines out, or that advises something else, has its own loop.

    Raises:
        LoccitError: when the file is missing or damaged, or a line is not a JSON object. The message names the file
            and the line.
    """
    return (record for _, record in numbered_records(path))


def numbered_records(path: Path) -> Iterator[tuple[int, Record]]:
    """The objects of ``records``, each with the number of its line: the first line is 1."""
    number = 0
    try:
        with _opened(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _object(line, f"{path}:{number}")
    except FileNotFoundError as error:
        raise LoccitError(f"There is no file {path}; give a JSONL file that is there.") from error
    except DAMAGE as error:
        raise LoccitError(
            f"{path} is damaged or cut short after line {number} ({error}); copy it again."
        ) from error
    except UnicodeDecodeError as error:
        raise LoccitError(
            f"{path} holds the byte 0x{error.object[error.start]:02x} after line {number}, which is not UTF-8; "
            "save the file as UTF-8."
        ) from error
    except OSError as error:
        raise LoccitError(f"{path} cannot be read beyond line {number} ({error.strerror}).") from error


def _opened(path: Path) -> TextIO:
    return TextIOWrapper(open_bytes(path), encoding="utf-8", newline="\n")


def _object(line: str, place: str) -> Record:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise LoccitError(f"{place} is not JSON ({error.msg}); write one whole object a line.") from error
    except (ValueError, RecursionError) as error:  # a number too long, or lists too deep
        raise LoccitError(f"{place} cannot be read as JSON ({error}); write a simpler object.") from error
    if not isinstance(value, dict):
        raise LoccitError(f"{place} is {shortened(value)}, but it must be a JSON object.")
    return value
