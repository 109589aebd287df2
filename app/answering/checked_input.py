"""Questions and documents as the service accepts them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from common.errors import InvalidRequestError
from retriever.types import Document

MAX_QUESTION_CHARACTERS = 2_000
QUESTION_PATTERN = (
    r"^[^\u0000-\u0008\u000E-\u001B\u007F-\u0084\u0086-\u009F]*"
    r"[^\s\u0000-\u0008\u000E-\u001B\u007F-\u0084\u0086-\u009F]"
    r"[^\u0000-\u0008\u000E-\u001B\u007F-\u0084\u0086-\u009F]*$"
)
"""A regular expression for what ``checked_question`` takes, length and lone surrogates aside: something that is no
white space, and no control character that is none."""

_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")  # control characters that are no white space
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class GivenDocument:
    """A text to answer from. Without an id it is called after its place: ``document-1``, ``document-2``, ..."""

    text: str
    document_id: str | None = None
    title: str = ""
    url: str | None = None


def checked_question(text: str) -> str:
    """The question without outer white space, every inner run of white space one space.

    Raises:
        InvalidRequestError: when it is blank, longer than 2,000 characters, or holds a control character or a
            lone surrogate.
    """
    _check_characters(text)
    question = " ".join(text.split())
    if not question:
        raise InvalidRequestError(
            f"The question is blank; ask something in 1 to {MAX_QUESTION_CHARACTERS:,} characters."
        )
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise InvalidRequestError(
            f"The question has {len(question):,} characters, but at most {MAX_QUESTION_CHARACTERS:,} are "
            "accepted; hand longer text in as a document and ask about it."
        )
    return question


def checked_documents(
    given: Sequence[GivenDocument], *, max_documents: int, max_characters: int
) -> tuple[Document, ...]:
    """The documents under their ids, in order, their texts exactly as given.

    Raises:
        InvalidRequestError: when there are none or too many, when they are too long in all, when two have the
            same id, or when one holds a lone surrogate.
    """
    if not given:
        raise InvalidRequestError(
            "The list of documents is empty; give at least one, or leave documents out."
        )
    if len(given) > max_documents:
        raise InvalidRequestError(
            f"{len(given):,} documents were given, but at most {max_documents:,} are accepted."
        )
    characters = sum(len(document.text) for document in given)
    if characters > max_characters:
        raise InvalidRequestError(
            f"The documents have {characters:,} characters in all, but at most {max_characters:,} are accepted."
        )
    documents = tuple(_document(document, number) for number, document in enumerate(given, start=1))
    _check_ids([document.doc_id for document in documents])
    return documents


def lone_surrogate(text: str) -> int | None:
    """The offset of the first lone surrogate in ``text``; None when there is none."""
    surrogate = _SURROGATE.search(text)
    return None if surrogate is None else surrogate.start()


def _check_characters(text: str) -> None:
    if (offset := lone_surrogate(text)) is not None:
        raise InvalidRequestError(
            f"The question holds the lone surrogate U+{ord(text[offset]):04X} at offset {offset}; "
            "a character needs both halves of its pair."
        )
    if control := _CONTROL.search(text):
        raise InvalidRequestError(
            f"The question holds the control character U+{ord(control[0]):04X} at offset {control.start()}; "
            "leave it out."
        )


def _document(given: GivenDocument, number: int) -> Document:
    doc_id = f"document-{number}" if given.document_id is None else given.document_id
    for name, text in (
        ("id", doc_id),
        ("title", given.title),
        ("text", given.text),
        ("url", given.url or ""),
    ):
        if (offset := lone_surrogate(text)) is not None:
            raise InvalidRequestError(
                f"The {name} of document {number} holds the lone surrogate U+{ord(text[offset]):04X} at offset "
                f"{offset}; a character needs both halves of its pair."
            )
    return Document(doc_id, given.title, given.text, given.url)


def _check_ids(ids: Sequence[str]) -> None:
    for number, doc_id in enumerate(ids, start=1):
        first = ids.index(doc_id) + 1
        if first < number:
            raise InvalidRequestError(
                f"Documents {first} and {number} have the same id {doc_id!r}; give each its own, or none."
            )
