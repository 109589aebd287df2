"""Where a quote stands word for word: its very characters, or the same but for looks, omissions and marked changes."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from common.deadline import Check, go_on
from quote_check.boundaries import in_whole_words, inside_word
from quote_check.folding import Fold, folded, same_but_for, without_end_mark
from quote_check.searched_text import LEAST_WORDS, SearchedText, words
from retriever.types import Span

OMISSION_GAP = 500
"""Characters that "..." may stand for beside a part of less than five words, which would fit anywhere."""
CHANGE_GAP = 100
"""Characters that "[the company]" may stand for."""

_LONG_PART = 5
_MOST_PARTS = 32
_PLACES = 1_000  # of a part, that are looked at
_PLACES_OF_PARTS = 4_000  # of all parts of a quote
_RENDERINGS = 64  # of a quote: texts that differ from each other, and from it in looks
_OMISSION = r"[\[(]\s*(?:…|(?:\.\s?){3,})\s*[\])]|…|(?:\.\s?){3,}"
_GAP = re.compile(rf"(?P<omission>{_OMISSION})|\[(?P<change>[^\[\]\n]{{1,100}})\]")
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
    """What stands between two gaps of a quote. ``reach``: characters that the gap before it may stand for.

    ``begins_inside``, ``ends_inside``: whether a change is written in one with its first or last word, as in
    "[b]uilt": it may begin or end inside a word.
    """

    text: str
    reach: int | None
    gap: Fold | None
    begins_inside: bool = False
    ends_inside: bool = False


@dataclass(frozen=True, slots=True)
class Sought:
    """A quote to look for, read once, whatever the number of texts. ``wholes``: without quotation marks around it.

    ``parts``: what its gaps leave; None where it has no gap, or too many, or parts that would fit anywhere.
    """

    wholes: tuple[str, ...]
    had_quotation_marks: bool
    parts: tuple[_Part, ...] | None
    gaps: frozenset[Fold]

    @classmethod
    def of(cls, quote: str, *written: str) -> Self:
        """This quote, or what else is ``written`` for it, without gaps. Linear in time."""
        bare = _bare(quote)
        gaps = list(_GAP.finditer(bare))
        return cls(
            (bare, *map(_bare, written)),
            bare != quote.strip(),
            _parts(bare, gaps),
            frozenset(map(_fold_of, gaps)),
        )


def very_characters(quote: str, text: str, near: int = 0) -> Span | None:
    """Where the quote's very characters stand, in whole words: nearest to the character ``near``. None: nowhere.

    Nearest among the first thousand places and the first thousand from ``near`` on.
    """
    near = max(near, 0)
    places = {Span(*place) for first in (0, near) for place in _places(quote, text, first)}
    spans = sorted(places, key=lambda span: (abs(span.start - near), span))
    return next((span for span in spans if in_whole_words(text, span)), None)


def standing_in(sought: Sought, searched: SearchedText, check: Check = go_on) -> Standing | None:
    """Where the quote stands in the text, first whole as it is written, then as parts; None where it does not.

    A quote that differs only in looks, and in more of them than ``Fold`` names, stands there, but not verbatim.
    ``check``: asked at each place that is looked at.
    """
    whole = _whole(sought.wholes, searched, check)
    if sought.parts is None or (whole is not None and whole.verbatim):
        in_parts = None
    else:
        in_parts = _in_order(sought.parts, sought.gaps, searched, check)
    best = in_parts if whole is None or (in_parts is not None and in_parts.verbatim) else whole
    if best is None or best.folds is None or not sought.had_quotation_marks:
        return best
    return Standing(best.spans, best.folds | {Fold.QUOTATION_MARKS})


def _bare(text: str) -> str:
    return text.strip().strip(_OUTER).strip()


def _whole(quotes: Sequence[str], searched: SearchedText, check: Check) -> Standing | None:
    """The first place that is verbatim, or else the first that is equal when folded. The same text is compared once."""
    first: Standing | None = None
    compared: set[tuple[str, str]] = set()
    forms = {
        (form, quote): None for quote in quotes for form in (folded(quote), folded(without_end_mark(quote)))
    }
    for sought, quote in forms:
        for start, end in _places(sought, searched.folded.text):
            check()
            span = searched.stored(start, end)
            found = span.of(searched.document.text)
            if (quote, found) in compared or not in_whole_words(searched.document.text, span):
                continue
            if len(compared) == _RENDERINGS:
                return first
            compared.add((quote, found))
            folds = same_but_for(quote, found)
            if folds is not None:
                return Standing((span,), folds)
            if first is None and folded(found) == sought == folded(quote):
                first = Standing((span,), None)
    return first


def _parts(quote: str, gaps: Sequence[re.Match[str]]) -> tuple[_Part, ...] | None:
    """The parts between the quote's gaps, see ``Sought``. Gaps at its ends are dropped."""
    parts: list[_Part] = []
    changed: list[int] = []  # how many parts are before each change
    for before, following in zip([None, *gaps], [*gaps, None], strict=True):
        start, end = before.end() if before else 0, following.start() if following else len(quote)
        between = quote[start:end]
        text = _bare(between)
        if words(folded(text)):
            gap = _fold_of(before) if before else None
            begins, ends = (
                _is_change(before) and not between[0].isspace(),
                _is_change(following) and not between[-1].isspace(),
            )
            parts.append(_Part(text, _reach(gap, parts, text), gap if parts else None, begins, ends))
        if _is_change(following):
            changed.append(len(parts))
    if not gaps or not 0 < len(parts) <= _MOST_PARTS or _fits_anywhere(parts):
        return None
    written = sum(len(words(folded(gap["change"] or ""))) for gap in gaps)
    return None if changed and _is_mostly_changed(parts, changed, written) else tuple(parts)


def _fold_of(gap: re.Match[str]) -> Fold:
    return Fold.OMISSIONS if gap["omission"] else Fold.CHANGES


def _is_change(gap: re.Match[str] | None) -> bool:
    return gap is not None and _fold_of(gap) is Fold.CHANGES


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


def _is_mostly_changed(parts: Sequence[_Part], changed: Sequence[int], written: int) -> bool:
    """Whether changes leave too little of a text: fewer words than are ``written`` in them, or no run beside one."""
    counts = [0, *(len(words(folded(part.text))) for part in parts), 0]
    return sum(counts) <= written or any(max(counts[at : at + 2]) < LEAST_WORDS for at in changed)


def _in_order(
    parts: Sequence[_Part], gaps: frozenset[Fold], searched: SearchedText, check: Check
) -> Standing | None:
    """The shortest run that holds all parts in order, none further from the one before it than its gap allows."""
    most = min(_PLACES, _PLACES_OF_PARTS // len(parts))
    runs: list[tuple[int, tuple[int, ...]]] = [
        (end, (start,)) for start, end in _places_of(parts[0], searched, most)
    ]
    for part in parts[1:]:
        ends = [end for end, _ in runs]
        further: list[tuple[int, tuple[int, ...]]] = []
        check()
        for start, end in _places_of(part, searched, most):
            # of those that end before it, the last one begins last, too
            before = bisect_right(ends, start) - 1
            if before >= 0 and (part.reach is None or start - ends[before] <= part.reach):
                further.append((end, (*runs[before][1], start)))
        runs = further
    if not runs:
        return None
    _, starts = min(runs, key=lambda run: (run[0] - run[1][0], run[0]))
    spans = tuple(
        searched.stored(start, start + len(folded(part.text)))
        for start, part in zip(starts, parts, strict=True)
    )
    folds = [
        same_but_for(part.text, span.of(searched.document.text))
        for part, span in zip(parts, spans, strict=True)
    ]
    known = [each for each in folds if each is not None]
    return Standing(spans, gaps.union(*known) if len(known) == len(folds) else None)


def _places_of(part: _Part, searched: SearchedText, most: int) -> list[tuple[int, int]]:
    """Where the part stands in the folded text without parting a word, but for those that a change is written in."""
    places = []
    for place in _places(folded(part.text), searched.folded.text, most=most):
        span, text = searched.stored(*place), searched.document.text
        begins = part.begins_inside or not inside_word(text, span.start)
        if begins and (part.ends_inside or not inside_word(text, span.end)):
            places.append(place)
    return places


def _places(sought: str, text: str, first: int = 0, *, most: int = _PLACES) -> list[tuple[int, int]]:
    places: list[tuple[int, int]] = []
    start = text.find(sought, first) if sought else -1
    while start >= 0 and len(places) < most:
        places.append((start, start + len(sought)))
        start = text.find(sought, start + 1)
    return places
