"""Completion: what belongs to the units that were chosen, so that an answer is not half a procedure."""

import re
from collections.abc import Collection, Sequence
from itertools import groupby, islice, pairwise, takewhile

from retriever.text.units import Unit, units_within
from retriever.types import BlockKind, Document, Span

REACH = 4_000
"""Characters behind a passage that what it announces may take."""
MOST_ANNOUNCED = 12
FURTHEST_APART = 5
_LABEL = re.compile(r"[^.!?:;]{1,40}")  # "Windows", above what is to be typed there
_LISTED = (BlockKind.ITEM, BlockKind.ROW, BlockKind.FIELD)


def within_reach(document: Document, window: Span) -> list[Unit]:
    """The units of the window and of what stands behind it, near enough to complete what the window says.

    None that the end of the reach cuts.
    """
    end = min(window.end + REACH, len(document.text))
    found = units_within(document, Span(window.start, end))
    return [unit for unit in found if unit.span.end < end or end == len(document.text)]


def completion(
    chosen: Collection[Span], backing: Collection[Span], units: Sequence[Unit], text: str
) -> dict[Span, Span]:
    """The units that complete the chosen ones, each with the chosen one that it belongs to.

    A unit that ends in a colon announces what comes next: the items, rows or fields of a list, the lines of a code
    block, at most 12, or a sentence. Where it backs the answer that comes with it, else where some of it was chosen.
    And of a list or a code block nothing is left out between two items or lines that are at most 5 apart.
    ``units``: those of ``within_reach``.
    """
    added: dict[Span, Span] = {}
    for place, unit in enumerate(units, start=1):
        if unit.span in chosen and unit.span.of(text).endswith(":"):
            announced = _announced(units[place:], text)
            if unit.span in backing or any(span in chosen for span in announced):
                added |= dict.fromkeys(announced, unit.span)
    for (kind, _), run in groupby(units, key=_list_of):
        items = [unit.span for unit in run] if kind is not BlockKind.PARAGRAPH else []
        places = [place for place, span in enumerate(items) if span in chosen]
        for first, second in pairwise(places):
            if second - first <= FURTHEST_APART:
                added |= dict.fromkeys(items[first + 1 : second], items[first])
    return {span: of for span, of in added.items() if span not in chosen}


def _list_of(unit: Unit) -> tuple[BlockKind, int | None]:
    """What the units of one list have in common, and the lines of one code block."""
    return unit.kind, unit.number if unit.kind is BlockKind.CODE else None


def _announced(following: Sequence[Unit], text: str) -> list[Span]:
    """Of the units behind a colon those that it announces. The label of a list or of code comes with that."""
    if not following:
        return []
    first = following[0]
    if first.kind in _LISTED:
        run = takewhile(lambda unit: unit.kind is first.kind, following)
    elif first.kind is BlockKind.CODE:
        run = takewhile(lambda unit: unit.number == first.number, following)
    elif first.kind is BlockKind.PARAGRAPH:
        labels = _LABEL.fullmatch(first.span.of(text)) and following[1:2]
        goes_on = labels and following[1].kind in (*_LISTED, BlockKind.CODE)
        return [first.span, *(_announced(following[1:], text) if goes_on else [])]
    else:
        return []
    return [unit.span for unit in islice(run, MOST_ANNOUNCED)]
