"""From a file to its document: what all formats that have to be extracted share."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from index_builder.corpora.content import content_of
from index_builder.corpora.structure import Structure
from index_builder.corpora.types import Malformed, Record
from retriever.types import Document

LONGEST_TEXT = 20_000_000
"""The most characters that a document may have; a thick book has one million."""


class UnreadableError(Exception):
    """A file cannot be a document; the message is a sentence on why, and on what would be right."""


@dataclass(frozen=True, slots=True)
class Extracted:
    """What a file holds: its structure, its title where it says one, and what else it says of itself."""

    structure: Structure
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
    location = f"{name}:1"
    try:
        extracted = extract(content)
        require_text(extracted.structure)
    except UnreadableError as error:
        yield Malformed(location, str(error))
        return
    structure = extracted.structure
    yield Record(
        Document(
            name,
            extracted.title or path.stem,
            structure.text,
            metadata=extracted.metadata,
            blocks=structure.blocks,
        ),
        location,
    )


def require_text(structure: Structure) -> None:
    """Refuse a document without text, or with more than an index takes."""
    if not structure.length:
        raise UnreadableError("The file holds no text; leave it out, or put text into it.")
    if structure.length > LONGEST_TEXT:
        raise UnreadableError(
            f"The file holds {structure.length:,} characters of text, and {LONGEST_TEXT:,} are the most that a document may "
            "have; split it."
        )
