"""A text that quotes are looked for in: folded once, its words numbered once, whatever the number of quotes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from quote_check.folding import Folded
from retriever.types import Document, Span

IntArray = npt.NDArray[np.int64]

LEAST_WORDS = 4
"""Of a quote of a passage: fewer are a term, a title or irony, and stand in many texts."""

UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Scripts without spaces: a character is a word."""

_WORD = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]{{1,40}}")


def words(text: str) -> list[str]:
    """The words of a folded text, in order; of scripts without spaces each character is one."""
    return _WORD.findall(text)


@dataclass(frozen=True)
class SearchedText:
    """A document, or the part ``span`` of it, to look for quotes in. What is found counts in the document."""

    document: Document
    span: Span | None = None
    _offset: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_offset", 0 if self.span is None else self.span.start)

    @cached_property
    def folded(self) -> Folded:
        """The text, folded."""
        return Folded.of(self.document.text if self.span is None else self.span.of(self.document.text))

    @cached_property
    def words(self) -> "NumberedWords":
        """The folded text's words."""
        return NumberedWords.of(self.folded.text)

    def stored(self, start: int, end: int) -> Span:
        """Where the folded characters ``[start, end)`` stand in the document."""
        return self.folded.origin(start, end).shifted(self._offset)


@dataclass(frozen=True, slots=True)
class NumberedWords:
    """Where the words of a text stand, and where each different one does.

    ``starts``, ``ends``: characters of each word, (words,). ``places``: the words' positions, those of the same word
    together and ascending; ``firsts`` says by word number where they begin.
    """

    starts: IntArray
    ends: IntArray
    numbers: dict[str, int]
    places: IntArray
    firsts: IntArray

    @classmethod
    def of(cls, text: str) -> "NumberedWords":
        """The words of a folded text."""
        numbers: dict[str, int] = {}
        spans: list[tuple[int, int]] = []
        ids: list[int] = []
        for word in _WORD.finditer(text):
            spans.append(word.span())
            ids.append(numbers.setdefault(word[0], len(numbers)))
        bounds = np.array(spans, dtype=np.int64).reshape(-1, 2)
        counts = np.bincount(np.array(ids, dtype=np.int64), minlength=len(numbers))
        return cls(
            bounds[:, 0],
            bounds[:, 1],
            numbers,
            np.argsort(np.array(ids, dtype=np.int64), kind="stable"),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        )

    def __len__(self) -> int:
        return len(self.starts)

    def positions(self, word: str) -> IntArray:
        """Of this word in the text, ascending."""
        number = self.numbers.get(word)
        return (
            self.places[:0] if number is None else self.places[self.firsts[number] : self.firsts[number + 1]]
        )


def rarest(quote: Sequence[str], text: NumberedWords, *, most: int) -> list[str]:
    """The words of the quote that the text has, the rarest first; equally rare ones in the quote's order."""
    known = [word for word in dict.fromkeys(quote) if word in text.numbers]
    return sorted(known, key=lambda word: len(text.positions(word)))[:most]
