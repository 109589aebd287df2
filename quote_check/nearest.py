"""Where a quote that is not verbatim almost stands in a text."""

import re
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz

from quote_check.folding import Folded, folded
from retriever.types import Span

ELISION_GAP = 500
"""Characters that a marked omission may stand for."""

_ELISION = re.compile(r"\s*[\[(]?(?:\.\s?){3,}[\])]?\s*")
_WORD = re.compile(r"\S+")
_MARKS = "\"' "
_LONGEST_WORD = 40
_MARGIN = 400
_LONG = 1000  # characters from which a quote is aligned word by word: the time grows with length cubed
_STEPS = (-3, -2, -1, 1, 2, 3)


@dataclass(frozen=True, slots=True)
class Match:
    """A span of a text, and how alike it and the quote are: 0 to 1.

    1: they differ at most in looks (see ``Folded``), outer quotation marks, or omissions marked by "...".
    Below: the share of characters that both have in order, ``2 * common / (both lengths)``, after folding.
    """

    span: Span
    similarity: float


def nearest_match(quote: str, text: str, *, above: float = 0.0) -> Match | None:
    """The span of ``text`` that is most like the quote; None when nothing is more alike than ``above``.

    A span that is merely similar has whole words, so that a reader can compare.
    """
    sought, source = folded(quote), Folded.of(text)
    if not sought:
        return None
    for same in (_equal(sought, source), _equal(sought.strip(_MARKS), source), _elided(sought, source)):
        if same is not None:
            return same if same.similarity > above else None
    if 2 * len(source.text) <= above * (len(sought) + len(source.text)):
        return None
    around = _aligned(sought, source.text, above)
    nearest = None if around is None else _in_whole_words(sought, source, around)
    return nearest if nearest is not None and nearest.similarity > above else None


def _equal(sought: str, source: Folded) -> Match | None:
    """The first place that is equal, unless it starts or ends inside of one original character."""
    start = source.text.find(sought) if sought else -1
    while start >= 0:
        span = source.origin(start, start + len(sought))
        if folded(span.of(source.original)) == sought:
            return Match(span, 1.0)
        start = source.text.find(sought, start + 1)
    return None


def _elided(sought: str, source: Folded) -> Match | None:
    """The shortest run that holds what stands between the quote's omission marks, all of it and in order.

    At the quote's ends omission marks are dropped. Inside of it, each part needs two words, or it would fit
    anywhere.
    """
    pieces = [piece for part in _ELISION.split(sought) if (piece := part.strip(_MARKS))]
    if len(pieces) < 2:
        return _equal(pieces[0], source) if pieces and pieces[0] != sought else None
    if any(" " not in piece for piece in pieces):
        return None
    reached = {
        end: end - len(pieces[0]) for end in _ends(pieces[0], source.text)
    }  # an end -> its latest start
    for piece in pieces[1:]:
        reached = _continued(reached, piece, source.text)
    if not reached:
        return None
    end = min(reached, key=lambda end: (end - reached[end], end))
    return Match(source.origin(reached[end], end), 1.0)


def _ends(piece: str, text: str) -> list[int]:
    ends = []
    start = text.find(piece)
    while start >= 0:
        ends.append(start + len(piece))
        start = text.find(piece, start + 1)
    return ends


def _continued(reached: dict[int, int], piece: str, text: str) -> dict[int, int]:
    """The same, with this piece after each end that lies at most ``ELISION_GAP`` before it."""
    ends = sorted(reached)
    further = {}
    for end in _ends(piece, text):
        start = end - len(piece)
        near = ends[bisect_left(ends, start - ELISION_GAP) : bisect_right(ends, start)]
        if near:
            further[end] = max(reached[before] for before in near)
    return further


def _aligned(sought: str, text: str, above: float) -> tuple[int, int] | None:
    """The window of ``text``, as long as the quote or the text, that is most like it."""
    if len(sought) < _LONG:
        aligned = fuzz.partial_ratio_alignment(sought, text, score_cutoff=100 * above)
        return None if aligned is None else (aligned.dest_start, aligned.dest_end)
    words = _words(text)
    aligned = fuzz.partial_ratio_alignment(_texts(sought, _words(sought)), _texts(text, words))
    if aligned is None or aligned.dest_start == aligned.dest_end:
        return None
    return words[aligned.dest_start][0], words[aligned.dest_end - 1][1]


def _in_whole_words(sought: str, source: Folded, around: tuple[int, int]) -> Match | None:
    """The run of whole words that is most like the quote, grown or cut from there by a few words at a time."""
    start, end = around
    words = _words(source.text, max(0, start - _MARGIN), end + _MARGIN)
    touched = [number for number, (first, last) in enumerate(words) if first < end and last > start]
    if not touched:
        return None

    def similarity(run: tuple[int, int]) -> float:
        return fuzz.ratio(sought, source.text[words[run[0]][0] : words[run[1]][1]])

    best, reached = (touched[0], touched[-1]), -1.0
    while similarity(best) > reached:
        reached = similarity(best)
        best = max([best, *_neighbours(best, len(words))], key=similarity)
    span = source.origin(words[best[0]][0], words[best[1]][1])
    return Match(span, fuzz.ratio(sought, folded(span.of(source.original))) / 100)


def _neighbours(run: tuple[int, int], count: int) -> list[tuple[int, int]]:
    first, last = run
    moves = [(first + step, last) for step in _STEPS] + [(first, last + step) for step in _STEPS]
    return [(a, b) for a, b in moves if 0 <= a <= b < count]


def _words(text: str, low: int = 0, high: int = sys.maxsize) -> list[tuple[int, int]]:
    """Words as offsets; what is written without spaces counts character by character."""
    words = []
    for word in _WORD.finditer(text, low, high):
        start, end = word.span()
        whole = end - start <= _LONGEST_WORD
        words += [(start, end)] if whole else [(at, at + 1) for at in range(start, end)]
    return words


def _texts(text: str, words: Iterable[tuple[int, int]]) -> list[str]:
    return [text[start:end] for start, end in words]
