"""A folder of index generations, of which ``CURRENT`` names one.

A generation is written under another name, flushed to disk, and then named by replacing ``CURRENT``, one
atomic rename: whoever opens the folder, and whenever the writer dies, there is the old index or the new one.
"""

import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from common.errors import IndexUnusableError, LoccitError
from common.files import remove_unfinished, whole_file, whole_folder

CURRENT_FILE = "CURRENT"
_GENERATIONS = "generations"
_READABLE = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


def current_generation(directory: Path) -> Path:
    """The folder of the generation that ``CURRENT`` names.

    Raises:
        IndexUnusableError: when there is no index here.
    """
    if directory.is_file():
        raise IndexUnusableError(f"{directory} is a file; give the folder that an index was built in.")
    name = current_name(directory)
    if name is None:
        raise IndexUnusableError(
            f"There is no index in {directory}; build one with `loccit index build SOURCE --out {directory}`, "
            "where SOURCE is vital-articles, a file or a folder of texts."
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


@contextmanager
def next_generation(directory: Path) -> Iterator[Path]:
    """An empty folder for the next generation; the caller holds the folder's ``BuildLock``.

    When the block ends well, the folder is on disk and is the current generation. The generation before it stays
    for whoever is just opening it, and older ones go. When the block fails, what was written goes instead.
    """
    generations = directory / _GENERATIONS
    generations.mkdir(parents=True, exist_ok=True)
    remove_unfinished(generations)
    name = f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%S')}-{secrets.token_hex(4)}"
    with whole_folder(generations / name) as folder:
        yield folder
        for path in folder.rglob("*"):
            _share(path)
    previous = current_name(directory)
    _make_current(directory, name)
    for generation in generations.iterdir():
        if generation.name not in {name, previous}:
            shutil.rmtree(generation, ignore_errors=True)


def _share(path: Path) -> None:
    """Let whoever may read the folder read what lies in it: tantivy makes some files for their maker alone."""
    path.chmod(stat.S_IMODE(path.stat().st_mode) | path.parent.stat().st_mode & _READABLE)


def current_name(directory: Path) -> str | None:
    """What ``CURRENT`` says, however damaged; None when there is no such file."""
    path = directory / CURRENT_FILE
    return path.read_bytes().decode(errors="replace").strip() if path.is_file() else None


def _make_current(directory: Path, name: str) -> None:
    with whole_file(directory / CURRENT_FILE) as path:
        path.write_text(f"{name}\n", encoding="utf-8")
