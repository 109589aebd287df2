"""How long a run of characters is, in words and in an encoder's tokens, and how one that is too long is cut.

A word is at most ``WORD_CHARACTERS`` characters between spaces: what is longer counts as several. Scripts written
without spaces count two (Chinese, Japanese) or five (Thai, Lao, Khmer, Burmese) characters a word, which fills an
encoder about as far as a hundred English words do.
"""

import math
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from retriever.text.folding import fold
from retriever.text.sentences import sentence_spans, splits_character
from retriever.types import Span

WORD_CHARACTERS = 20
"""Characters allowed for each word: a passage of 100 words never exceeds 2,000 characters."""

_CHINESE_JAPANESE = "\u3001-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff61-\uff9f\U00020000-\U0003ffff"
_SOUTHEAST_ASIAN = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_WORD = re.compile(
    rf"[{_CHINESE_JAPANESE}]{{1,2}}|[{_SOUTHEAST_ASIAN}]{{1,5}}"
    rf"|[^\s{_CHINESE_JAPANESE}{_SOUTHEAST_ASIAN}]{{1,{WORD_CHARACTERS}}}"
)


class TokenCounter(Protocol):
    """What counts a text as its encoder does. Every ``Encoder`` is one."""

    @property
    def max_tokens(self) -> int | None:
        """Tokens of a passage input that are read, special ones aside; None: all of them."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has, special ones aside."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of characters with its length. ``tokens``: 0 where nobody counts them."""

    span: Span
    words: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Room:
    """How much fits into a passage. ``tokens``: infinite where nobody counts them."""

    words: int
    tokens: float
    characters: int

    def holds(self, pieces: Sequence[Piece]) -> bool:
        """Whether these fit, with what stands between them."""
        return (
            sum(piece.words for piece in pieces) <= self.words
            and sum(piece.tokens for piece in pieces) <= self.tokens
            and pieces[-1].span.end - pieces[0].span.start <= self.characters
        )

    def beside(self, pieces: Sequence[Piece], start: int) -> "Room":
        """What is left for a run that starts at ``start``, after these."""
        if not pieces:
            return self
        return Room(
            self.words - sum(piece.words for piece in pieces),
            self.tokens - sum(piece.tokens for piece in pieces),
            self.characters - (start - pieces[0].span.start),
        )


class Ruler:
    """Measures and cuts runs of one text. ``counter``: None where tokens do not count."""

    def __init__(self, text: str, counter: TokenCounter | None) -> None:
        self._text, self._counter = text, counter

    def measured(self, spans: Sequence[Span]) -> list[Piece]:
        """The spans with their lengths.

        Tokens are those of the folded text. They add up over what white space parts: exactly for word pieces, and to no
        less than the whole has for other tokens in use.
        """
        return [
            Piece(span, len(_WORD.findall(self._text, span.start, span.end)), tokens)
            for span, tokens in zip(spans, self._tokens(spans), strict=True)
        ]

    def parts(self, piece: Piece, room: Room) -> Iterator[Piece]:
        """The piece where it fits; or else its sentences, and of those that do not fit, runs of words."""
        if room.holds([piece]):
            yield piece
            return
        sentences = [span.shifted(piece.span.start) for span in sentence_spans(piece.span.of(self._text))]
        for sentence in self.measured(sentences):
            if room.holds([sentence]):
                yield sentence
            else:
                yield from self._runs(sentence.span, room)

    def _runs(self, span: Span, room: Room) -> Iterator[Piece]:
        """The words of a span in runs of about equal length, none longer than ``room``."""
        words = list(word_spans(self._text, span.start, span.end))
        tokens = [0, *accumulate(self._tokens([Span(*word) for word in words]))]
        first = 0
        while first < len(words):
            rest = len(words) - first
            runs = max(-(-rest // room.words), math.ceil((tokens[-1] - tokens[first]) / room.tokens))
            after = first + -(-rest // runs)  # the division rounds up
            fitting = bisect_right(tokens, tokens[first] + room.tokens) - 1
            after = cut(self._text, words, first, max(first + 1, min(after, fitting)), room.characters)
            run = Span(words[first][0], words[after - 1][1])
            yield Piece(run, after - first, tokens[after] - tokens[first])
            first = after

    def _tokens(self, spans: Sequence[Span]) -> list[int]:
        if self._counter is None:
            return [0] * len(spans)
        return self._counter.count_tokens([fold(span.of(self._text)).text for span in spans])


def count_words(text: str) -> int:
    """How many words a text has, as passages count them."""
    return len(_WORD.findall(text))


def word_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Words of ``text[start:end]`` as passages count them; a long one is cut between visible characters."""
    while match := _WORD.search(text, start, end):
        start = _character_end(text, match.start(), match.end(), end)
        yield match.start(), start


def _character_end(text: str, start: int, end: int, limit: int) -> int:
    """``end``, or the nearest place within a word's length that parts no visible character, or ``end``."""
    if end == limit or not splits_character(text, end):
        return end
    backwards = range(end - 1, start, -1)
    forwards = range(end + 1, min(start + WORD_CHARACTERS, limit) + 1)
    return next((at for at in (*backwards, *forwards) if not splits_character(text, at)), end)


def cut(text: str, words: list[tuple[int, int]], first: int, after: int, characters: int) -> int:
    """The index to end a run at that starts with word ``first``: ``after``, or less where that is better.

    Less, so that the run has at most ``characters``; then, looking back over half of it, so that it ends
    before whitespace and not within a word.
    """
    while after > first + 1 and words[after - 1][1] - words[first][0] > characters:
        after -= 1
    if after == len(words):
        return after
    candidates = range(after, first + (after - first) // 2, -1)
    return next((at for at in candidates if _is_between_words(text, words, at)), after)


def _is_between_words(text: str, words: list[tuple[int, int]], at: int) -> bool:
    start = words[at][0]
    return words[at - 1][1] < start and not splits_character(text, start)
