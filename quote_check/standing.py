"""Where a quote stands word for word: its very characters, or the same but for looks, omissions and marked changes."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from quote_check.folding import Fold, folded, same_but_for, without_end_mark
from quote_check.searched_text import SearchedText, words
from retriever.types import Span

OMISSION_GAP = 500
"""Characters that "..." may stand for beside a part of less than five words, which would fit anywhere."""
CHANGE_GAP = 100
"""Characters that "[the company]" may stand for."""

_LONG_PART = 5
_MOST_PARTS = 32
_PLACES = 1_000  # of a part, that are looked at
_OMISSION = r"[\[(]\s*(?:…|(?:\.\s?){3,})\s*[\])]|…|(?:\.\s?){3,}"
_GAP = re.compile(rf"\s*(?:(?P<omission>{_OMISSION})|\[(?P<change>[^\[\]\n]{{1,100}})\])\s*")
_OUTER = "\"'“”„‟«»‘’‚‛「」『』"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the parts of a quote stand in a document, in order: one part unless it has omissions or changes.

    ``folds``: what differs. None: more than that differs, but only in looks, such as capitals.
    """

    spans: tuple[Span, ...]
    folds: frozenset[Fold] | None

    @property
    def verbatim(self) -> bool:
        """Whether no letter differs."""
        return self.folds is not None


@dataclass(frozen=True, slots=True)
class _Part:
    """What stands between two gaps of a quote. ``reach``: characters that the gap before it may stand for."""

    text: str
    reach: int | None
    gap: Fold | None


def very_characters(quote: str, text: str, near: int = 0) -> Span | None:
    """Where the quote's very characters stand: nearest to the character ``near``. None: nowhere."""
    if not quote:
        return None
    near = min(max(near, 0), len(text))
    places = (text.rfind(quote, 0, near + len(quote)), text.find(quote, near))
    start = min((place for place in places if place >= 0), key=lambda place: abs(place - near), default=None)
    return None if start is None else Span(start, start + len(quote))


def standing_in(quote: str, searched: SearchedText) -> Standing | None:
    """Where the quote stands in the text, first whole as it is written, then as parts; None where it does not.

    A quote that differs only in looks, and in more of them than ``Fold`` names, stands there, but not verbatim.
    """
    bare = quote.strip().strip(_OUTER).strip()
    whole = _whole(bare, searched)
    parts = _parts(bare)
    if parts is None or (whole is not None and whole.verbatim):
        in_parts = None
    else:
        in_parts = _in_order(parts, frozenset(gap for *_, gap in _gaps(bare)), searched)
    best = in_parts if whole is None or (in_parts is not None and in_parts.verbatim) else whole
    if best is None or best.folds is None or bare == quote.strip():
        return best
    return Standing(best.spans, best.folds | {Fold.QUOTATION_MARKS})


def _whole(quote: str, searched: SearchedText) -> Standing | None:
    """The first place that is verbatim, or else the first that is equal when folded."""
    first: Standing | None = None
    for sought in dict.fromkeys((folded(quote), folded(without_end_mark(quote)))):
        for start, end in _places(sought, searched.folded.text):
            span = searched.stored(start, end)
            found = span.of(searched.document.text)
            folds = same_but_for(quote, found)
            if folds is not None:
                return Standing((span,), folds)
            if first is None and folded(found) == sought == folded(quote):
                first = Standing((span,), None)
    return first


def _parts(quote: str) -> list[_Part] | None:
    """The parts between the quote's gaps; None where it has no gap, or too many, or a part that would fit anywhere.

    Gaps at its ends are dropped.
    """
    parts: list[_Part] = []
    at = 0
    gap: Fold | None = None
    for start, end, following in [*_gaps(quote), (len(quote), len(quote), None)]:
        text = quote[at:start].strip().strip(_OUTER).strip()
        if words(folded(text)):
            parts.append(_Part(text, _reach(gap, parts, text), gap if parts else None))
        at, gap = end, following
    if parts == [_Part(quote, OMISSION_GAP, None)] or not 0 < len(parts) <= _MOST_PARTS:
        return None
    return None if _fits_anywhere(parts) else parts


def _gaps(quote: str) -> list[tuple[int, int, Fold]]:
    """Start and end of each gap, and what it is."""
    return [
        (*match.span(), Fold.OMISSIONS if match["omission"] else Fold.CHANGES)
        for match in _GAP.finditer(quote)
    ]


def _reach(gap: Fold | None, before: Sequence[_Part], part: str) -> int | None:
    if gap is Fold.CHANGES:
        return CHANGE_GAP
    beside = [before[-1].text, part] if before else [part]
    return None if min(len(words(folded(text))) for text in beside) >= _LONG_PART else OMISSION_GAP


def _fits_anywhere(parts: Sequence[_Part]) -> bool:
    """Whether what stands between two omissions is a single word."""
    counts = [0]
    for part in parts:
        if part.gap is Fold.OMISSIONS:
            counts.append(0)
        counts[-1] += len(words(folded(part.text)))
    return len(counts) > 1 and min(counts) == 1


def _in_order(parts: Sequence[_Part], gaps: frozenset[Fold], searched: SearchedText) -> Standing | None:
    """The shortest run that holds all parts in order, none further from the one before it than its gap allows."""
    text, sought = searched.folded.text, [folded(part.text) for part in parts]
    runs: list[tuple[int, tuple[int, ...]]] = [(end, (start,)) for start, end in _places(sought[0], text)]
    for part, piece in zip(parts[1:], sought[1:], strict=True):
        ends = [end for end, _ in runs]
        further: list[tuple[int, tuple[int, ...]]] = []
        for start, end in _places(piece, text):
            # of those that end before it, the last one begins last, too
            before = bisect_right(ends, start) - 1
            if before >= 0 and (part.reach is None or start - ends[before] <= part.reach):
                further.append((end, (*runs[before][1], start)))
        runs = further
    if not runs:
        return None
    _, starts = min(runs, key=lambda run: (run[0] - run[1][0], run[0]))
    spans = tuple(
        searched.stored(start, start + len(piece)) for start, piece in zip(starts, sought, strict=True)
    )
    folds = [
        same_but_for(part.text, span.of(searched.document.text))
        for part, span in zip(parts, spans, strict=True)
    ]
    known = [each for each in folds if each is not None]
    return Standing(spans, gaps.union(*known) if len(known) == len(folds) else None)


def _places(sought: str, text: str) -> list[tuple[int, int]]:
    places: list[tuple[int, int]] = []
    start = text.find(sought) if sought else -1
    while start >= 0 and len(places) < _PLACES:
        places.append((start, start + len(sought)))
        start = text.find(sought, start + 1)
    return places
