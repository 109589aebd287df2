"""The bytes of a file that is one document, or why it cannot be one."""

from pathlib import Path

from index_builder.corpora.names import printable
from index_builder.corpora.types import Malformed

_LARGEST = 500_000_000  # bytes


def content_of(path: Path, name: str) -> bytes | Malformed:
    """The file's bytes; ``name`` is to be the document's id. A pipe or a broken link never stops the build."""
    location = f"{printable(name)}:1"
    if printable(name) != name:
        return Malformed(location, "The file's name is not UTF-8, so it cannot be an id; rename the file.")
    try:
        if path.exists() and not path.is_file():
            return Malformed(location, "This is not a regular file; put a document in its place.")
        if (size := path.stat().st_size) > _LARGEST:
            return Malformed(
                location, f"The file is too large: {size:,} bytes, and {_LARGEST:,} are the most; split it."
            )
        return path.read_bytes()
    except OSError as error:
        return Malformed(
            location, f"The file cannot be read ({error.strerror}); make it readable or remove it."
        )
