"""Questions as the service accepts them."""

import unicodedata

from app.answering.surrogates import lone_surrogate
from retriever.errors import InvalidRequestError

MAX_QUESTION_CHARACTERS = 2_000


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


def _check_characters(text: str) -> None:
    if (offset := lone_surrogate(text)) is not None:
        raise InvalidRequestError(
            f"The question holds the lone surrogate U+{ord(text[offset]):04X} at offset {offset}; "
            "a character needs both halves of its pair."
        )
    for offset, character in enumerate(text):
        if unicodedata.category(character) == "Cc" and not character.isspace():
            raise InvalidRequestError(
                f"The question holds the control character U+{ord(character):04X} at offset {offset}; leave it out."
            )
