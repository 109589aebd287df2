"""Documents handed in with a question, read in the format that they are in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from functools import partial

from common.deadline import NO_DEADLINE, Check, Deadline
from common.errors import InvalidRequestError
from extraction.extracted import Extracted, UnreadableError
from extraction.html import extract_page
from extraction.markup.markdown import extract_markdown_text
from retriever.types import Document


class TextFormat(StrEnum):
    """What a text handed in is written in."""

    TEXT = "text"
    MARKDOWN = "markdown"
    HTML = "html"


_EXTRACTORS: Mapping[TextFormat, Callable[[str, Check], Extracted]] = {
    TextFormat.MARKDOWN: extract_markdown_text,
    TextFormat.HTML: extract_page,
}


def as_read(
    documents: Sequence[Document],
    formats: Mapping[str, TextFormat],
    *,
    max_characters: int,
    deadline: Deadline = NO_DEADLINE,
) -> tuple[Document, ...]:
    """The documents as a reader sees them: the text that offsets count in, with its blocks.

    ``formats``: by the document's id; plain text where it has none, which stays character for character.

    Raises:
        InvalidRequestError: when one cannot be read in its format, or when a table that repeats its cells makes them
            longer than ``max_characters`` in all.
        DeadlineExceededError, GivenUpError: when the deadline is over before they are read.
    """
    read = tuple(
        _as_read(document, extract, partial(deadline.check, "index"))
        if (extract := _EXTRACTORS.get(formats.get(document.doc_id, TextFormat.TEXT)))
        else document
        for document in documents
    )
    if (characters := sum(len(document.text) for document in read)) > max_characters:
        raise InvalidRequestError(
            f"The documents have {characters:,} characters in all once read, but at most {max_characters:,} are "
            "accepted."
        )
    return read


def _as_read(document: Document, extract: Callable[[str, Check], Extracted], check: Check) -> Document:
    try:
        extracted = extract(document.text, check)
    except UnreadableError as error:
        raise InvalidRequestError(f"The document {document.doc_id!r} cannot be read: {error}") from error
    structure = extracted.structure
    title = document.title or extracted.title or ""
    return replace(document, title=title, text=structure.text, blocks=structure.blocks)
