"""Following files and folders: told when something in them has changed and then stayed as it is for a moment.

They are looked at every second. That also works where a system tells of no changes: on mounts of a network or of a
container.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from index_builder.corpora.terms import SUFFIX as TERMS

EVERY_S = 1.0

State = dict[str, tuple[int, int, int]]
"""Of every file: when it was written, how long it is, and which file it is."""


def changes(
    paths: Sequence[Path],
    *,
    without: Path,
    follow_links: bool = False,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[None]:
    """One item for each change after this call, once two looks in a row have seen the same.

    ``without``: a folder that is not looked into, wherever it lies: what is written there is no change.
    """

    def look() -> State:
        files = (file for path in paths for file in _files(path, without.resolve(), follow_links))
        return {file: seen for file in files if (seen := _seen(file)) is not None}

    return _changes(look(), look, sleep)


def _changes(known: State, look: Callable[[], State], sleep: Callable[[float], object]) -> Iterator[None]:
    before = known
    while True:
        sleep(EVERY_S)
        now = look()
        if now == before and now != known:
            known = now
            yield
        before = now


def _files(path: Path, without: Path, follow_links: bool) -> Iterator[str]:
    """The file, or those below the folder, and the terms that lie beside it. No folder is entered twice."""
    yield f"{path.resolve()}{TERMS}"
    if path.is_file():
        yield str(path)
    seen = {path.resolve(), without}  # folders, by where they really are
    for folder, folders, names in os.walk(path, followlinks=follow_links):
        below = [Path(folder, name) for name in folders if not name.startswith(".")]
        folders[:] = [child.name for child in below if _may_enter(child, seen, follow_links)]
        yield from (os.path.join(folder, name) for name in names if not name.startswith("."))  # noqa: PTH118


def _may_enter(folder: Path, seen: set[Path], follow_links: bool) -> bool:
    """Whether it is none of those ``seen``, one of which it is from now on; a link only where links are followed."""
    if not follow_links and folder.is_symlink():
        return False
    real = folder.resolve()
    new = real not in seen
    seen.add(real)
    return new


def _seen(file: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116 - thousands of them, every second
    except OSError:  # gone by now
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
