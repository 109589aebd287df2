"""Names of files as they are shown and stored."""

import os


def printable(name: str) -> str:
    """``name`` with the bytes that are not UTF-8 written out, so that it can be shown and stored."""
    return os.fsencode(name).decode(errors="backslashreplace")
