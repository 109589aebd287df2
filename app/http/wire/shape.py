"""The shape that a request must have, in words: the sentence about a wrong one is made of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.answering.checked_input import MAX_QUESTION_CHARACTERS
from retriever.document_ids import MAX_ID_CHARACTERS


@dataclass(frozen=True, slots=True)
class Shape:
    """What a part of a request must be; the sentence about a wrong one ends with it.

    ``whole``: what it is called, and ``right`` what it must be. ``part``: what its parts are called; ``parts``: what
    each must be, by its path (``documents[].text``).
    """

    whole: str
    right: str
    part: str
    parts: Mapping[str, str]


QUESTION = f"a text of 1 to {MAX_QUESTION_CHARACTERS:,} characters"
PASSAGES = "a whole number from 1 to 100"
ID = f"a text of 1 to {MAX_ID_CHARACTERS:,} characters"
