"""A reader's hold on a generation: as long as one has it, the generation is not removed.

It is a shared lock (flock) on the generation's folder. It needs no right to write, other processes see it, and the
system lets go of it however the process ends.
"""

import fcntl
import os
import shutil
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.files import UNFINISHED


class Hold:
    """Holds the generation in ``folder`` until it is let go, collected, or the process ends.

    Where the file system has no such locks, nothing is held, and reading goes on all the same.

    Raises:
        BlockingIOError: when the generation is just being removed.
        FileNotFoundError: when it is gone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        descriptor = os.open(folder, os.O_RDONLY)
        self.let_go = weakref.finalize(self, os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # there are no such locks here
            return
        folder.stat()  # a folder that was removed in between can still be locked


def remove_unless_held(folder: Path) -> bool:
    """Remove a generation, unless a reader holds it or nobody can tell; whether it is gone.

    It is renamed first: killed on the way, it leaves what ``remove_unfinished`` removes.
    """
    with _alone(folder) as alone:
        if alone:
            doomed = folder.rename(folder.with_name(f"{UNFINISHED}{folder.name}"))
            shutil.rmtree(doomed)
    return alone


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether no reader holds this generation; then none can begin to within the block."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)
