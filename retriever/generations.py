"""A folder of index generations, of which ``CURRENT`` names one.

A generation is written under another name, flushed to disk, and then named by replacing ``CURRENT``, one
atomic rename: whoever opens the folder, and whenever the writer dies, there is the old index or the new one.
"""

import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from reprlib import repr as shortened

from filelock import FileLock, Timeout

from common.errors import IndexBusyError, IndexUnusableError
from common.files import remove_unfinished, whole_file, whole_folder
from retriever.holds import Hold, remove_unless_held

CURRENT_FILE = "CURRENT"
_GENERATIONS = "generations"
_NAME = re.compile(r"\w[\w.-]{0,99}")  # of a folder right below; anything else in CURRENT is damage
_TRIES = 40
_BETWEEN_TRIES_S = 0.05
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
    if not _NAME.fullmatch(name) or not folder.is_dir():
        raise IndexUnusableError(
            f"{directory / CURRENT_FILE} names the generation {shortened(name)}, which is not there: the index is "
            "damaged; build it again."
        )
    return folder


def hold_current(directory: Path) -> Hold:
    """A hold on the generation that ``CURRENT`` names; its ``folder`` stays as long as it is held.

    Raises:
        IndexUnusableError: when there is no index here.
    """
    for _ in range(_TRIES):
        try:
            return Hold(current_generation(directory))
        except (BlockingIOError, FileNotFoundError):  # another became current, and this one is being removed
            time.sleep(_BETWEEN_TRIES_S)
    raise IndexUnusableError(f"The index in {directory} changed whenever it was opened; try again.")


class BuildLock:
    """Holds an index folder for one writer; another one waits for ``wait_s`` seconds and is then refused.

    Raises:
        IndexBusyError: when another one has it all the while.
    """

    def __init__(self, directory: Path, *, wait_s: float = 0.0) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(directory / "build.lock")
        self._directory, self._wait_s = directory, wait_s

    def __enter__(self) -> None:
        try:
            self._lock.acquire(timeout=self._wait_s)
        except Timeout as error:
            raise IndexBusyError(
                f"Another process is building the index in {self._directory}; wait until it has finished."
            ) from error

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@contextmanager
def next_generation(directory: Path) -> Iterator[Path]:
    """An empty folder for the next generation; the caller holds the folder's ``BuildLock``.

    When the block ends well, the folder is on disk and is the current generation. The generation before it stays
    for whoever is just opening it, and older ones go unless a reader holds them. When the block fails, what was
    written goes instead.
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
    with suppress(OSError):  # what cannot be removed now does no harm
        for generation in _others(directory, name, previous):
            remove_unless_held(generation)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What pruning did: the names of the generations that are gone, of the current one, and of those that are held."""

    removed: tuple[str, ...]
    current: str
    held: tuple[str, ...]


def prune(directory: Path) -> Pruned:
    """Remove every generation but the current one and those that a reader holds, and what killed writers left.

    Raises:
        IndexUnusableError: when there is no index here.
        IndexBusyError: when the index is being changed.
    """
    current_generation(directory)  # before a lock is made where there is no index
    with BuildLock(directory):
        current = current_generation(directory).name
        remove_unfinished(directory / _GENERATIONS)
        others = _others(directory, current)
        held = {generation.name for generation in others if not remove_unless_held(generation)}
    removed = tuple(generation.name for generation in others if generation.name not in held)
    return Pruned(removed, current, tuple(sorted(held)))


def _others(directory: Path, *names: str | None) -> list[Path]:
    """The generations but for those of these names, the oldest first."""
    generations = (directory / _GENERATIONS).iterdir()
    return sorted(folder for folder in generations if folder.is_dir() and folder.name not in names)


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
