"""The real span of a text that comes nearest to a quote which is not verbatim."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import nlargest

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz

from common.deadline import Check, go_on
from quote_check.folding import folded
from quote_check.searched_text import IntArray, SearchedText, rarest, words
from retriever.types import Span

FloatArray = npt.NDArray[np.float64]

LONGEST = 10_000
"""Characters of a quote that are compared; what a longer one has beyond counts as different."""

_RARE_WORDS = 32
_PLACES = 64  # of a word that are looked at, evenly spread over the text where it stands more often
_TIMES = 3  # that a word counts in a quote which repeats it
_WINDOWS = 4  # of all texts together
_BESIDE = 3  # words that a window has more on each side
_SHORT_TEXT = 2_000  # characters of a text that is compared whole
_WORD = re.compile(r"\S+")
_LONGEST_WORD = 40
_MARGIN = 400
_LONG = 400
"""Characters from which a quote is put where its rare words say, and only its ends are looked at beside other words:
aligning takes its length cubed."""
_END = 300  # characters of it that are
_STEPS = (-3, -2, -1, 1, 2, 3)
_ROUNDS = 12  # of growing or cutting a run by a few words


@dataclass(frozen=True, slots=True)
class Near:
    """A span of a text's document, and how alike it and the quote are: 0 to 1.

    The likeness is the share of characters that both have in order, ``2 * common / (both lengths)``, after folding.
    """

    searched: SearchedText
    span: Span
    likeness: float


@dataclass(frozen=True, slots=True)
class _Window:
    """Folded characters to compare the quote with. ``vote``: how much the quote's rare words say for it."""

    searched: SearchedText
    start: int
    end: int
    vote: float


def nearest(
    quote: str, texts: Iterable[SearchedText], *, above: float = 0.0, check: Check = go_on
) -> Near | None:
    """The span of all the texts that is most like the quote; None when nothing is more alike than ``above``.

    It has whole words, so that a reader can compare. In a text of more than 2,000 characters it is looked for where
    the quote's rarest words stand at the right distance from each other. The quote is compared with the four
    likeliest places of all texts, so the time grows with the length of the texts, not with that of texts times
    quote. ``check``: asked at each text and place.
    """
    whole = folded(quote)
    sought = whole[:LONGEST]
    if not sought:
        return None
    windows = nlargest(_WINDOWS, _windows(sought, texts, above, check), key=lambda window: window.vote)
    best: Near | None = None
    for window in windows:
        check()
        near = _in_window(sought, window)
        if near is not None and near.likeness > (above if best is None else best.likeness):
            best = near
    if best is None or len(whole) == len(sought):
        return best
    likeness = best.likeness * 2 * len(sought) / (len(sought) + len(whole))
    return Near(best.searched, best.span, likeness) if likeness > above else None


def _windows(sought: str, texts: Iterable[SearchedText], above: float, check: Check) -> Iterator[_Window]:
    """The likeliest of each text."""
    quoted = words(sought)
    for searched in texts:
        check()
        text = searched.folded.text
        if 2 * len(text) <= above * (len(sought) + len(text)):
            continue
        of_text = _windows_of(sought, quoted, searched)
        if len(text) <= _SHORT_TEXT and len(sought) < _LONG:
            yield _Window(searched, 0, len(text), max((window.vote for window in of_text), default=0.0))
        else:
            yield from of_text


def _windows_of(sought: str, quoted: list[str], searched: SearchedText) -> Iterator[_Window]:
    """Where the quote's rare words stand at the right distance from each other, the likeliest first."""
    standing = searched.words
    shifts, weights = _shifts(quoted, searched)
    if not len(shifts):
        return
    width = max(8, len(quoted) // 3)
    buckets, within = np.unique(shifts // width, return_inverse=True)
    alone = np.bincount(within, weights=weights)
    votes = alone + np.where(np.diff(buckets, prepend=buckets[0] - 2) == 1, np.roll(alone, 1), 0)
    for bucket in np.argsort(-votes, kind="stable")[:_WINDOWS]:
        low, high = int(buckets[bucket] - 1) * width, int(buckets[bucket] + 1) * width
        near = (shifts >= low) & (shifts < high)
        if len(sought) < _LONG:
            low, high = low - _BESIDE, high + _BESIDE
        else:
            low = high = int(_median(shifts[near], weights[near]))
        first, last = max(0, low), min(len(standing), high + len(quoted))
        if first < last:
            start, end = int(standing.starts[first]), int(standing.ends[last - 1])
            yield _Window(searched, start, end, float(votes[bucket]))


def _median(values: IntArray, weights: FloatArray) -> int:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return int(values[order][np.searchsorted(reached, reached[-1] / 2)])


def _shifts(quoted: list[str], searched: SearchedText) -> tuple[IntArray, FloatArray]:
    """How far apart the quote's words stand in quote and text, and how much each says: a rare one more."""
    standing = searched.words
    at: dict[str, list[int]] = {}
    for place, word in enumerate(quoted):
        at.setdefault(word, []).append(place)
    shifts, weights = [np.empty(0, dtype=np.int64)], [np.empty(0)]
    for word in rarest(quoted, standing, most=_RARE_WORDS):
        places = standing.positions(word)
        weight = np.log1p(len(standing) / len(places))
        if len(places) > _PLACES:
            places = places[np.linspace(0, len(places) - 1, _PLACES).astype(np.int64)]
        for place in at[word][:_TIMES]:
            shifts.append(places - place)
            weights.append(np.full(len(places), weight))
    return np.concatenate(shifts), np.concatenate(weights)


def _in_window(sought: str, window: _Window) -> Near | None:
    start, end = window.start, window.end
    if len(sought) < _LONG:
        aligned = fuzz.partial_ratio_alignment(sought, window.searched.folded.text[start:end])
        if aligned is None:
            return None
        start, end = start + aligned.dest_start, start + aligned.dest_end
    return _in_whole_words(sought, window.searched, (start, end))


def _in_whole_words(sought: str, searched: SearchedText, around: tuple[int, int]) -> Near | None:
    """The run of whole words that is most like the quote, grown or cut from there by a few words at a time."""
    start, end = around
    text = searched.folded.text
    runs = _runs(text, max(0, start - _MARGIN), end + _MARGIN)
    touched = [number for number, (first, last) in enumerate(runs) if first < end and last > start]
    if not touched:
        return None

    def likeness(run: tuple[int, int]) -> float:
        start, end = runs[run[0]][0], runs[run[1]][1]
        if len(sought) < _LONG:
            return fuzz.ratio(sought, text[start:end])
        begun = fuzz.ratio(sought[:_END], text[start : min(end, start + _END)])
        return begun + fuzz.ratio(sought[-_END:], text[max(start, end - _END) : end])

    best = touched[0], touched[-1]
    for _ in range(_ROUNDS):
        better = max([best, *_neighbours(best, len(runs))], key=likeness)
        if better == best:
            break
        best = better
    span = searched.stored(runs[best[0]][0], runs[best[1]][1])
    alike = fuzz.ratio(sought, folded(span.of(searched.document.text))) / 100
    return Near(searched, span, alike) if alike else None


def _neighbours(run: tuple[int, int], count: int) -> list[tuple[int, int]]:
    first, last = run
    moves = [(first + step, last) for step in _STEPS] + [(first, last + step) for step in _STEPS]
    return [(a, b) for a, b in moves if 0 <= a <= b < count]


def _runs(text: str, low: int = 0, high: int | None = None) -> list[tuple[int, int]]:
    """Words with what stands at them, as offsets; what is written without spaces counts character by character."""
    runs = []
    for word in _WORD.finditer(text, low, len(text) if high is None else high):
        start, end = word.span()
        whole = end - start <= _LONGEST_WORD
        runs += [(start, end)] if whole else [(at, at + 1) for at in range(start, end)]
    return runs
