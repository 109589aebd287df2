"""Which marks of a sentence cite which of its quotations."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from quote_check.marks import Mark
from quote_check.quotations import Quotation

_BETWEEN_MARKS = re.compile(r"[\s,;]*")
_WORD = re.compile(r"[^\W_]")


def marks_of(quotations: Sequence[Quotation], marks: Sequence[Mark], text: str) -> list[list[Mark]]:
    """Of each of a sentence's quotations, in order, the marks that cite it. Linear in time.

    Those inside it, else the first group after it, else the last before it. Where the first of several quotations
    follows a mark, or none follows the last, marks go before quotations: one that another quotation follows is that
    one's, unless it stands right behind the one before.
    """
    groups = _groups(marks, text)
    inside: dict[int, list[Mark]] = {}
    behind: dict[int, list[Mark]] = {}
    ahead: dict[int, list[Mark]] = {}
    starts, count, passed = [quotation.around.start for quotation in quotations], len(quotations), -1
    for group in groups:
        start = _start(group)
        last = bisect_right(starts, start) - 1
        end = quotations[last].around.end if last >= 0 else 0
        if start < end:
            inside.setdefault(last, []).extend(group)
            continue
        if last > passed and not _WORD.search(text, end, start):
            behind[last] = group
        else:
            ahead[last + 1] = group
        passed = last
    if count == 1 or (0 not in ahead and (count in ahead or count - 1 in behind)):
        ahead = {}
    own = [inside.get(number) or behind.get(number) or ahead.get(number) for number in range(count)]
    taken = {_start(group) for number, group in ahead.items() if number < count and own[number] is group}
    free = [group for group in groups if _start(group) not in taken]
    return [
        found or _beside(quotation, free, groups) for found, quotation in zip(own, quotations, strict=True)
    ]


def _beside(quotation: Quotation, free: Sequence[list[Mark]], groups: Sequence[list[Mark]]) -> list[Mark]:
    """The first free group after the quotation, else the last of all groups before it."""
    following = bisect_left(free, quotation.around.end, key=_start)
    if following < len(free):
        return free[following]
    before = bisect_left(groups, quotation.around.start, key=_start)
    return groups[before - 1] if before else []


def _groups(marks: Sequence[Mark], text: str) -> list[list[Mark]]:
    """Marks with nothing but spaces and commas between them, together."""
    groups: list[list[Mark]] = []
    for mark in marks:
        if groups and _BETWEEN_MARKS.fullmatch(text, groups[-1][-1].span.end, mark.span.start):
            groups[-1].append(mark)
        else:
            groups.append([mark])
    return groups


def _start(group: Sequence[Mark]) -> int:
    return group[0].span.start
