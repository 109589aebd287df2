"""A PDF's table of contents: lines that repeat the headings of later pages with their numbers, and say nothing more."""

import re
from collections.abc import Iterator, Sequence

from extraction.pdf.page import Line

_ENTRY = re.compile(r"(?P<title>\S.*?\D)[\s.·…_]+(?P<number>\d{1,4})$")
_HEADING = re.compile(r"(?:table of )?contents:?$", re.IGNORECASE)
_LEAST_ENTRIES = 4
_LEAST_SHARE = 0.5  # of the entries: that stand as lines of later pages
_WRAPPED = 1  # lines that may stand between two entries, the beginning of a long one

PageLine = tuple[int, Line]
"""The number of a page and a line of it."""


def contents_lines(lines: Sequence[PageLine]) -> set[PageLine]:
    """The lines of tables of contents, their heading with them, of all lines in their order.

    Such a table is a run of lines that end in numbers which never become smaller. Half of what stands before the
    numbers, or more, stands on later pages, too: so a list of prices is none.
    """
    last = {_said(line.text): place for place, (_, line) in enumerate(lines)}
    found: set[PageLine] = set()
    for start, end in _runs(lines):
        places = [
            last.get(_said(entry["title"]), 0)
            for _, line in lines[start:end]
            if (entry := _ENTRY.match(line.text))
        ]
        later = [place >= end and lines[place][0] > lines[start][0] for place in places]
        if sum(later) >= _LEAST_SHARE * len(later):
            first = start - 1 if start and _HEADING.match(lines[start - 1][1].text) else start
            found.update(lines[first:end])
    return found


def _runs(lines: Sequence[PageLine]) -> Iterator[tuple[int, int]]:
    """Where runs of entries begin and end, each line of which is an entry or the beginning of one."""
    start = last = entries = number = 0
    for place, (_, line) in enumerate(lines):
        entry = _ENTRY.match(line.text)
        if entry is None:
            continue
        goes_on = entries and place - last <= 1 + _WRAPPED and int(entry["number"]) >= number
        if not goes_on:
            if entries >= _LEAST_ENTRIES:
                yield start, last + 1
            start, entries = place, 0
        last, entries, number = place, entries + 1, int(entry["number"])
    if entries >= _LEAST_ENTRIES:
        yield start, last + 1


def _said(text: str) -> str:
    """The letters and digits of a line, by which it is the same in small and large letters."""
    return "".join(filter(str.isalnum, text.casefold()))
