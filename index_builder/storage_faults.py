"""What a disk refuses, told in one sentence."""

import errno
import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from common.errors import IndexNotWritableError, LoccitError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_OF_SQLITE = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_IOERR: errno.EIO,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_PERM: errno.EACCES,
}
_PRIMARY = 0xFF  # of SQLite's codes; the rest of the bits is detail
_NO_FOLDER = {errno.EEXIST, errno.ENOTDIR}  # a file stands where the folder should


@contextmanager
def faults_as_sentences(directory: Path) -> Iterator[None]:
    """Whatever the disk refuses while the index in this folder is written becomes a LoccitError.

    Raises:
        IndexNotWritableError: when the folder may not be written to.
        LoccitError: when the disk is full, a file is larger than allowed, or it cannot be read or written.
    """
    try:
        yield
    except (OSError, sqlite3.OperationalError, ValueError) as error:
        number = _number(error)
        if number is None:
            raise
        place = getattr(error, "filename", None) or directory
        raise _sentence(number, directory, place) from error


def _number(error: Exception) -> int | None:
    """The system's number of the fault; None when it is no fault of a disk."""
    if isinstance(error, sqlite3.Error):
        code = error.sqlite_errorcode & _PRIMARY
        return errno.EFBIG if code == sqlite3.SQLITE_IOERR and _files_are_limited() else _OF_SQLITE.get(code)
    if isinstance(error, OSError):
        return error.errno
    # tantivy passes the system's message on
    _, said, number = str(error).rpartition("(os error ")
    return int(number.split(")")[0]) if said else None


def _files_are_limited() -> bool:
    """Whether this process may only write files up to some size: SQLite calls what goes beyond an I/O error."""
    return resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY


def _sentence(number: int, directory: Path, place: object) -> LoccitError:
    unchanged = "the index that was there is unchanged, and the passages embedded so far are kept"
    if number in _FULL:
        return LoccitError(f"The disk of {directory} is full; free some space and build again: {unchanged}.")
    if number == errno.EFBIG:
        return LoccitError(
            f"A file of the index in {directory} became larger than this process may write; raise the limit "
            f"(`ulimit -f unlimited`) and build again: {unchanged}."
        )
    if number in _FORBIDDEN:
        return IndexNotWritableError(
            f"The index in {directory} cannot be changed, because {place} may not be read or written by this user "
            f"({os.strerror(number)}); let the user do so."
        )
    if number in _NO_FOLDER:
        return LoccitError(f"{place}: {os.strerror(number)}; give a path that can be read and written.")
    return LoccitError(
        f"{place} cannot be read or written ({os.strerror(number)}); see to the disk and build again: {unchanged}."
    )
