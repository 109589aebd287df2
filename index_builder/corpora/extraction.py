"""From a file to its document: what all formats that have to be extracted share."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from index_builder.corpora.content import content_of
from index_builder.corpora.types import Malformed, Record
from retriever.types import Block, Document

_LONGEST = 20_000_000  # characters; a thick book has one million


class UnreadableError(Exception):
    """A file cannot be a document; the message is a sentence on why, and on what would be right.

    ``line``: where in the file that shows.
    """

    def __init__(self, problem: str, *, line: int = 1) -> None:
        super().__init__(problem)
        self.line = line


class Text(Protocol):
    """A text with its blocks, as ``Document`` takes them."""

    @property
    def text(self) -> str: ...

    @property
    def blocks(self) -> tuple[Block, ...]: ...


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a file holds: its text with the blocks, its title where it says one, and what else it says of itself."""

    structure: Text
    title: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def extracted_document(
    path: Path, name: str, extract: Callable[[bytes], Extracted]
) -> Iterator[Record | Malformed]:
    """The file as one document called ``name``, or why it cannot be one.

    ``extract`` gets the file's bytes. Where it finds no title, the title is the file's name without its suffix.
    """
    content = content_of(path, name)
    if isinstance(content, Malformed):
        yield content
        return
    try:
        extracted = extract(content)
        text = extracted.structure.text
        _check_length(len(text) if text.strip() else 0)
    except UnreadableError as error:
        yield Malformed(f"{name}:{error.line}", str(error))
        return
    structure = extracted.structure
    title = extracted.title or path.stem
    document = Document(name, title, text, metadata=extracted.metadata, blocks=structure.blocks)
    yield Record(document, f"{name}:1")


def _check_length(characters: int) -> None:
    """Refuse a document without text, or with more than an index takes."""
    if not characters:
        raise UnreadableError("The file holds no text; leave it out, or put text into it.")
    if characters > _LONGEST:
        raise UnreadableError(
            f"The file holds {characters:,} characters of text, and {_LONGEST:,} are the most that a document may "
            "have; split it."
        )
