"""From a file to its one document: what all formats that have to be extracted share."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from extraction.extracted import Extracted, UnreadableError
from index_builder.corpora.files.content import content_of
from index_builder.corpora.types import FileReader, Malformed, Record
from retriever.types import Document

_LONGEST = 20_000_000  # characters; a thick book has one million


def one_document(extract: Callable[[bytes], Extracted]) -> FileReader:
    """The reader of files that are one document each, whose bytes ``extract`` reads."""
    return partial(_extracted_document, extract)


def _extracted_document(
    extract: Callable[[bytes], Extracted], path: Path, name: str
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
