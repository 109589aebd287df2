"""Plain text: a ``.txt`` file is one document, kept character for character."""

from collections.abc import Callable, Iterator
from pathlib import Path

from index_builder.corpora.content import content_of
from index_builder.corpora.names import printable
from index_builder.corpora.types import Malformed, Record
from retriever.types import Document


def read_text(path: Path, name: str) -> Iterator[Record | Malformed]:
    """The file as one document called ``name``, or why it cannot be one."""
    yield text_document(path, name, lambda _: None)


def text_document(path: Path, name: str, title_of: Callable[[str], str | None]) -> Record | Malformed:
    """A UTF-8 file as a document called ``name``, or why it cannot be one.

    ``title_of`` finds the title in the text. Where it finds none, the title is the file's name without its suffix.
    """
    content = content_of(path, name)
    if isinstance(content, Malformed):
        return content
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Malformed(
            f"{printable(name)}:{line}",
            f"The file has the byte 0x{content[error.start]:02x} here, which is not UTF-8; save it as UTF-8.",
        )
    return Record(Document(name, title_of(text) or path.stem, text), f"{name}:1")
