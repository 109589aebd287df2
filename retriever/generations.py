"""A folder of index generations, of which ``CURRENT`` names one.

A generation is written under another name, flushed to disk, and then named by replacing ``CURRENT``, one
atomic rename: whoever opens the folder, and whenever the writer dies, there is the old index or the new one.
"""

import os
import secrets
import shutil
import stat
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from common.errors import IndexUnusableError, LoccitError

CURRENT_FILE = "CURRENT"
_GENERATIONS = "generations"
_UNFINISHED = ".unfinished-"
_READABLE = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


def current_generation(directory: Path) -> Path:
    """The folder of the generation that ``CURRENT`` names.

    Raises:
        IndexUnusableError: when there is no index here.
    """
    if directory.is_file():
        raise IndexUnusableError(f"{directory} is a file; give the folder that an index was built in.")
    name = _current_name(directory)
    if name is None:
        raise IndexUnusableError(
            f"There is no index in {directory}; build one with `loccit index build SOURCE --out {directory}`, "
            "where SOURCE is vital-articles, a JSONL file or a folder of texts."
        )
    folder = directory / _GENERATIONS / name
    if not name or not folder.is_dir():
        raise IndexUnusableError(
            f"{directory / CURRENT_FILE} names the generation {name!r}, which is not there: the index is "
            "damaged; build it again."
        )
    return folder


class BuildLock:
    """Holds an index folder for one builder; a second one is refused with a sentence."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(directory / "build.lock")
        self._directory = directory

    def __enter__(self) -> None:
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise LoccitError(
                f"Another process is building the index in {self._directory}; wait until it has finished."
            ) from error

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def start_generation(directory: Path) -> Path:
    """An empty folder for the next generation; what an interrupted build left is removed first."""
    generations = directory / _GENERATIONS
    generations.mkdir(parents=True, exist_ok=True)
    for leftover in generations.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(leftover)
    folder = generations / f"{_UNFINISHED}{secrets.token_hex(4)}"
    folder.mkdir()
    return folder


def publish(unfinished: Path) -> Path:
    """Make this generation the current one; the one before it stays for whoever is just opening it."""
    generations = unfinished.parent
    directory = generations.parent
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    name = f"{stamp}-{unfinished.name.removeprefix(_UNFINISHED)}"
    for path in sorted(unfinished.rglob("*"), reverse=True):
        _share(path)
        _flush(path)
    _flush(unfinished)
    published = generations / name
    unfinished.rename(published)
    _flush(generations)
    previous = _current_name(directory)
    _replace_current(directory, name)
    for folder in generations.iterdir():
        if folder.name not in {name, previous}:
            shutil.rmtree(folder, ignore_errors=True)
    return published


def _current_name(directory: Path) -> str | None:
    """What ``CURRENT`` says, however damaged; None when there is no such file."""
    path = directory / CURRENT_FILE
    return path.read_bytes().decode(errors="replace").strip() if path.is_file() else None


def _replace_current(directory: Path, name: str) -> None:
    temporary = directory / f"{CURRENT_FILE}.new"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(f"{name}\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(directory / CURRENT_FILE)
    _flush(directory)


def _share(path: Path) -> None:
    """Let whoever may read the folder read what lies in it: tantivy makes some files for their maker alone."""
    path.chmod(stat.S_IMODE(path.stat().st_mode) | path.parent.stat().st_mode & _READABLE)


def _flush(path: Path) -> None:
    # directories too: a rename is on disk only once its folder is
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
