"""The real span of a text that comes nearest to a quote which is not verbatim."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz

from quote_check.folding import folded
from quote_check.searched_text import IntArray, SearchedText, rarest, words
from retriever.types import Span

FloatArray = npt.NDArray[np.float64]

LONGEST = 10_000
"""Characters of a quote that are compared; what a longer one has beyond counts as different."""

_RARE_WORDS = 32
_PLACES = 64  # of a word that are looked at, evenly spread over the text where it stands more often
_TIMES = 3  # that a word counts in a quote which repeats it
_WINDOWS = 4
_BESIDE = 3  # words that a window has more on each side
_SHORT_TEXT = 2_000  # characters of a text that is compared whole
_WORD = re.compile(r"\S+")
_LONGEST_WORD = 40
_MARGIN = 400
_LONG = (
    1_000  # characters from which a quote is put where its rare words say: aligning takes its length cubed
)
_STEPS = (-3, -2, -1, 1, 2, 3)
_ROUNDS = 12  # of growing or cutting a run by a few words


@dataclass(frozen=True, slots=True)
class Near:
    """A span of a document, and how alike it and the quote are: 0 to 1.

    The likeness is the share of characters that both have in order, ``2 * common / (both lengths)``, after folding.
    """

    span: Span
    likeness: float


def nearest(quote: str, searched: SearchedText, *, above: float = 0.0) -> Near | None:
    """The span that is most like the quote; None when nothing is more alike than ``above``.

    It has whole words, so that a reader can compare. In a text of more than 2,000 characters it is looked for where
    the quote's rarest words stand at the right distance from each other; so the time grows with the length of the
    text, not with that of text times quote.
    """
    whole = folded(quote)
    sought, text = whole[:LONGEST], searched.folded.text
    if not sought or 2 * len(text) <= above * (len(sought) + len(text)):
        return None
    best: Near | None = None
    for start, end in _windows(sought, searched):
        near = _in_window(sought, searched, start, end)
        if near is not None and near.likeness > (above if best is None else best.likeness):
            best = near
    if best is None or len(whole) == len(sought):
        return best
    likeness = best.likeness * 2 * len(sought) / (len(sought) + len(whole))
    return Near(best.span, likeness) if likeness > above else None


def _windows(sought: str, searched: SearchedText) -> Iterator[tuple[int, int]]:
    """Runs of folded characters to compare the quote with, the likeliest first."""
    text = searched.folded.text
    if len(text) <= _SHORT_TEXT and len(sought) < _LONG:
        yield 0, len(text)
        return
    quoted, standing = words(sought), searched.words
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
            yield int(standing.starts[first]), int(standing.ends[last - 1])


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


def _in_window(sought: str, searched: SearchedText, start: int, end: int) -> Near | None:
    if len(sought) < _LONG:
        aligned = fuzz.partial_ratio_alignment(sought, searched.folded.text[start:end])
        if aligned is None:
            return None
        start, end = start + aligned.dest_start, start + aligned.dest_end
    return _in_whole_words(sought, searched, (start, end))


def _in_whole_words(sought: str, searched: SearchedText, around: tuple[int, int]) -> Near | None:
    """The run of whole words that is most like the quote, grown or cut from there by a few words at a time."""
    start, end = around
    text = searched.folded.text
    runs = _runs(text, max(0, start - _MARGIN), end + _MARGIN)
    touched = [number for number, (first, last) in enumerate(runs) if first < end and last > start]
    if not touched:
        return None

    def likeness(run: tuple[int, int]) -> float:
        return fuzz.ratio(sought, text[runs[run[0]][0] : runs[run[1]][1]])

    best = touched[0], touched[-1]
    for _ in range(_ROUNDS):
        better = max([best, *_neighbours(best, len(runs))], key=likeness)
        if better == best:
            break
        best = better
    span = searched.stored(runs[best[0]][0], runs[best[1]][1])
    alike = fuzz.ratio(sought, folded(span.of(searched.document.text))) / 100
    return Near(span, alike) if alike else None


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
