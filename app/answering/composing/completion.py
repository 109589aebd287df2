"""Completion: what belongs to the units that were chosen, so that an answer is not half a procedure."""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby, islice, pairwise, takewhile

from retriever.text.units import Unit, units_within
from retriever.types import BlockKind, Document, Span

REACH = 4_000
"""Characters before and behind a passage that what completes it may take."""
MOST_ANNOUNCED = 12
FURTHEST_APART = 5
FURTHEST_STEP = 12
_LABEL = re.compile(r"[^.!?:;]{1,40}")  # "Windows", above what is to be typed there
_STEP = re.compile(r"(\d{1,3})[.)] ")
_PROMISE = re.compile(r"\b(?:steps|below|following|as follows)\b", re.IGNORECASE)
_LISTED = (BlockKind.ITEM, BlockKind.ROW, BlockKind.FIELD)
_APART = (*_LISTED, BlockKind.CODE)
"""What does not flow: it stands in lines of its own."""


def within_reach(document: Document, window: Span) -> list[Unit]:
    """The units of the window and of what stands before and behind it, near enough to complete what the window says.

    None that an end of the reach cuts.
    """
    start, end = max(window.start - REACH, 0), min(window.end + REACH, len(document.text))
    found = units_within(document, Span(start, end))
    cut = found[0].number if found and start else None
    return [
        unit for unit in found if unit.number != cut and (unit.span.end < end or end == len(document.text))
    ]


def completion(
    chosen: Collection[Span], backing: Collection[Span], units: Sequence[Unit], text: str
) -> dict[Span, Span]:
    """The units that complete the chosen ones, each with the chosen one that it belongs to.

    A unit that ends in a colon announces what comes next: the items, rows or fields of a list, the lines of a code
    block, at most 12, or a sentence; lists and code under labels of their own, such as those of tabs, with the labels.
    Where it promises steps, or what is below, at most 5 sentences may stand before those, and come with them. Where it
    backs the answer that comes with it, else where some of it was chosen. Code whose first line was chosen brings the
    sentence above it that ends in a colon, and comes whole. A step that backs the answer brings all steps, with what
    stands between them and what announces them (see ``_procedure``). And of a list or a code block nothing is left out
    between two items or lines that are at most 5 apart. ``units``: those of ``within_reach``.
    """
    added: dict[Span, Span] = {}
    for place, unit in enumerate(units, start=1):
        if unit.span in chosen and unit.span.of(text).endswith(":"):
            announced = _announced(unit, units[place:], text)
            if unit.span in backing or any(span in chosen for span in announced):
                added |= dict.fromkeys(announced, unit.span)
    for place, (above, unit) in enumerate(pairwise(units), start=1):
        begins = unit.kind is BlockKind.CODE and above.kind in (BlockKind.PARAGRAPH, BlockKind.ITEM)
        if begins and unit.span in chosen and above.span.of(text).endswith(":"):
            whole = _announced(above, units[place:], text)
            added |= dict.fromkeys([above.span, *whole], unit.span)
    for place, unit in enumerate(units):
        if unit.span in backing:
            added |= dict.fromkeys(_procedure(units, place, text), unit.span)
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


def _procedure(units: Sequence[Unit], place: int, text: str) -> list[Span]:
    """The units from the first to the last step of the numbered list that the unit at ``place`` is a step of.

    Above them what announces them, below them the items and the code of the last. Nothing where it is no step, or
    where there are more than 12.
    """
    number = _number(units[place], text)
    if number is None:
        return []
    first, lowest = _end(units, place, number, text, way=-1)
    last, highest = _end(units, place, number, text, way=1)
    if first == last or highest - lowest >= MOST_ANNOUNCED:
        return []
    below = takewhile(
        lambda unit: (
            unit.kind is BlockKind.CODE or (unit.kind is BlockKind.ITEM and _number(unit, text) is None)
        ),
        units[last + 1 :],
    )
    above = first - 1 if first and units[first - 1].span.of(text).endswith(":") else first
    return [unit.span for unit in [*units[above : last + 1], *below]]


def _end(units: Sequence[Unit], place: int, number: int, text: str, *, way: int) -> tuple[int, int]:
    """Place and number of the last step on the way from this one, up (-1) or down (1): no number is left out.

    Between two steps there are at most 12 units, and no heading.
    """
    at = place + way
    while (
        0 <= at < len(units) and abs(at - place) <= FURTHEST_STEP and units[at].kind is not BlockKind.HEADING
    ):
        if _number(units[at], text) == number + way:
            place, number = at, number + way
        at += way
    return place, number


def _number(unit: Unit, text: str) -> int | None:
    """Of a numbered item."""
    found = _STEP.match(text, unit.span.start) if unit.kind is BlockKind.ITEM else None
    return None if found is None else int(found[1])


def labels(chosen: Collection[Span], units: Sequence[Unit]) -> dict[Span, Span]:
    """The headings that tell chosen lists, rows and code of several sections apart, each with the first of its own.

    None where all stand under one heading. ``units``: those of ``within_reach``.
    """
    heading: Span | None = None
    firsts: dict[Span | None, Span] = {}
    for unit in units:
        if unit.kind is BlockKind.HEADING:
            heading = unit.span
        elif unit.span in chosen and unit.kind in _APART:
            firsts.setdefault(heading, unit.span)
    return {span: first for span, first in firsts.items() if span is not None and len(firsts) > 1}


def _announced(announcement: Unit, following: Sequence[Unit], text: str) -> list[Span]:
    """Of the units behind a colon those that it announces. The label of a list or of code comes with that."""
    if not following:
        return []
    first = following[0]
    if first.kind is BlockKind.HEADING:
        return [unit.span for unit in islice(_under_labels(announcement, following), MOST_ANNOUNCED)]
    between = list(takewhile(lambda unit: unit.kind is BlockKind.PARAGRAPH, following[: FURTHEST_APART + 1]))
    behind = following[len(between) :]
    if first.kind in _LISTED:
        run = takewhile(lambda unit: unit.kind is first.kind, following)
    elif first.kind is BlockKind.CODE:
        run = takewhile(lambda unit: unit.number == first.number, following)
    elif between:
        is_label = len(between) == 1 and _LABEL.fullmatch(first.span.of(text))
        goes_on = behind[:1] and behind[0].kind in _APART
        if goes_on and (is_label or _PROMISE.search(announcement.span.of(text))):
            return [unit.span for unit in between] + _announced(announcement, behind, text)
        return [first.span]
    else:
        return []
    return [unit.span for unit in islice(run, MOST_ANNOUNCED)]


def _under_labels(announcement: Unit, following: Sequence[Unit]) -> Iterator[Unit]:
    """Label, list or code, and again, as long as the labels stand below the announcement's own heading."""
    rest = list(following)
    while (
        len(rest) > 1
        and rest[0].kind is BlockKind.HEADING
        and rest[1].kind in _APART
        and len(rest[1].path) > len(announcement.path)
    ):
        content = list(takewhile(lambda unit: unit.kind in _APART, rest[1:]))
        yield from (rest[0], *content)
        rest = rest[1 + len(content) :]
