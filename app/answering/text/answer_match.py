"""Where an answer stands in a text: as a run of whole words, letter case, articles and punctuation aside.

The text is read folded (see ``fold``), compatibility forms too (NFKC), so that a no-break space is a space and a
full-width digit a digit.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retriever.text.folding import fold
from retriever.types import Span

_WORD = re.compile(r"\w+")
_WHOLE = re.compile(r"(?<!\w)-?\d+(?:[.,]\d+)*\w*|\w+")
_GROUPS = re.compile(r"(?<=\d),(?=\d{3}(?:\D|$))")
_ARTICLES = frozenset({"a", "an", "the"})


@dataclass(frozen=True, slots=True)
class WordIndex:
    """The words of a text, folded, without articles, and where each stands; made once, searched often.

    ``joined``: the words with one space before, between and after them.
    ``starts``: where each word begins in ``joined``. ``places``: the characters of the text that it covers.
    """

    joined: str
    starts: dict[int, int]
    places: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, text: str) -> "WordIndex":
        """The words of ``text``."""
        joined = [" "]
        starts: dict[int, int] = {}
        places: list[tuple[int, int]] = []
        length = 1
        for word, start, end in _words(text):
            starts[length] = len(places)
            places.append((start, end))
            joined.append(word + " ")
            length += len(word) + 1
        return cls("".join(joined), starts, tuple(places))

    def contains(self, answer: "WordIndex") -> bool:
        """Whether the answer's words stand in the text, one after the other."""
        return bool(answer.places) and answer.joined in self.joined

    def spans(self, answer: "WordIndex") -> list[Span]:
        """Where they do, from left to right, disjoint: from the first word's first character to the last's end."""
        return list(self._spans(answer)) if answer.places else []

    def _spans(self, answer: "WordIndex") -> Iterator[Span]:
        at = self.joined.find(answer.joined)
        while at >= 0:
            first = self.starts[at + 1]
            last = first + len(answer.places) - 1
            yield Span(self.places[first][0], self.places[last][1])
            at = self.joined.find(answer.joined, at + len(answer.joined) - 1)


def has_answer(text: str, answers: Sequence[str]) -> bool:
    """Whether an answer stands in the text as a run of whole words (DPR's has_answer), articles aside."""
    words = WordIndex.of(text)
    return any(words.contains(WordIndex.of(answer)) for answer in answers)


def says_answer(said: str, answers: Sequence[str]) -> bool:
    """Whether an answer stands in what was said as a run of whole words and whole numbers.

    Stricter than ``has_answer``: "9" does not stand in "3.9", nor "500 euros" in "1,500 euros" or "-500 euros", and
    "Vitamin A" is not what "Vitamin D" shares with it.
    """
    words = _whole(said)
    return any(f" {known} " in f" {words} " for known in map(_whole, answers) if known)


def _whole(text: str) -> str:
    """Words and numbers, lower-cased, with a space between: an article only where it is the end, or a name's letter."""
    folded = unicodedata.normalize("NFKC", fold(text).text).replace("\N{MINUS SIGN}", "-")
    found = _WHOLE.findall(folded)
    kept = [
        word
        for place, word in enumerate(found)
        if word.lower() not in _ARTICLES or place == len(found) - 1 or (place and word.isupper())
    ]
    return " ".join(_GROUPS.sub("", word).lower() for word in kept)


def answer_spans(text: str, answers: Sequence[str]) -> list[Span]:
    """All runs of the text that are an answer, in order; of runs that overlap, the longest alone."""
    words = WordIndex.of(text)
    found = {span for answer in answers for span in words.spans(WordIndex.of(answer))}
    return longest_apart(found)


def longest_apart(spans: set[Span]) -> list[Span]:
    """The spans in order, without those that overlap a longer one (of equal ones the first stays)."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (-len(span), span)):
        if not any(span.touches(other) for other in kept):
            kept.append(span)
    return sorted(kept)


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """Words, lower-cased, with the characters of ``text`` that they cover."""
    read = fold(text)
    if unicodedata.is_normalized("NFKC", read.text):
        folded, places = read.text, None
    else:
        folded, places = _folded(read.text)
    for match in _WORD.finditer(folded):
        word = match.group().lower()
        if word not in _ARTICLES:
            start, end = match.span()
            if places is not None:
                start, end = places[start][0], places[end - 1][1]
            stored = read.stored(Span(start, end))
            yield word, stored.start, stored.end


def _folded(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text in NFKC, and for each of its characters the run of ``text`` that it comes from."""
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    start = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and unicodedata.combining(text[end]):
            continue  # a mark belongs to the letter before it
        piece = unicodedata.normalize("NFKC", text[start:end])
        pieces.append(piece)
        places += [(start, end)] * len(piece)
        start = end
    return "".join(pieces), places
