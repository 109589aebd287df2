"""Places in texts that are not kept beside them, known by their words' hashes.

A question over a public manual stands in this repository, the manual does not. So a place is kept as how many words it
has and their hash: it is found again where marks, white space or what stands before it have changed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from retriever.types import Span

_WORD = re.compile(r"\w+")
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Place:
    """``words``: how many. ``digest``: of these, in lower case. ``before``, ``after``: characters beside the outermost
    words that belong to the place, such as the dashes of an option.
    """

    words: int
    digest: str
    before: int = 0
    after: int = 0

    @classmethod
    def of(cls, text: str) -> "Place":
        """The place that holds this text and no more. Raises ValueError when it has no word."""
        found = list(_WORD.finditer(text))
        if not found:
            raise ValueError(f"A place needs a word, but got {text!r}.")
        words = [match[0] for match in found]
        return cls(len(words), _digest(words), found[0].start(), len(text) - found[-1].end())

    @classmethod
    def of_json(cls, record: Sequence[Any]) -> "Place":
        """The inverse of ``as_json``."""
        words, digest, *beside = record
        return cls(int(words), str(digest), *map(int, beside))

    def as_json(self) -> list[int | str]:
        """Words, digest, and what stands beside them where anything does."""
        beside = [self.before, self.after] if self.before or self.after else []
        return [self.words, self.digest, *beside]


class Words:
    """The words of a text, in which places are looked up."""

    def __init__(self, text: str) -> None:
        self._length = len(text)
        found = list(_WORD.finditer(text))
        self._spans = [match.span() for match in found]
        self._words = [match[0] for match in found]

    def find(self, place: Place, *, within: Span | None = None) -> Iterator[Span]:
        """Where the text, or what ``within`` holds of it, has these words, in order."""
        within = within or Span(0, max(1, self._length))
        for first in range(len(self._words) - place.words + 1):
            start, end = self._spans[first][0], self._spans[first + place.words - 1][1]
            if start < within.start:
                continue
            if end > within.end:
                return
            if _digest(self._words[first : first + place.words]) == place.digest:
                yield Span(max(0, start - place.before), min(self._length, end + place.after))


def _digest(words: Sequence[str]) -> str:
    return sha256(" ".join(words).lower().encode()).hexdigest()[:_DIGITS]
