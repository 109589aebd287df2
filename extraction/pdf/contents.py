"""A PDF's table of contents: lines that repeat the headings of later pages with their numbers, and say nothing more."""

import re
from collections.abc import Iterable, Iterator, Sequence

from extraction.pdf.page import Line

_NUMBER = re.compile(r"\d{1,4}$")
_LEADERS = " \t.·…_"  # between a title and its page
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
        entries = [entry for _, line in lines[start:end] if (entry := _entry(line.text))]
        places = [last.get(_said(title), 0) for title, _ in entries]
        later = [place >= end and lines[place][0] > lines[start][0] for place in places]
        if sum(later) >= _LEAST_SHARE * len(later):
            first = start - 1 if start and _HEADING.match(lines[start - 1][1].text) else start
            found.update(lines[first:end])
    return found


def are_contents(lines: Iterable[Line]) -> bool:
    """Whether these may be the lines of a table of contents, whatever later pages say: most end with a number."""
    ends = [_entry(line.text) is not None for line in lines]
    return len(ends) >= _LEAST_ENTRIES and sum(ends) * 2 > len(ends)


def _runs(lines: Sequence[PageLine]) -> Iterator[tuple[int, int]]:
    """Where runs of entries begin and end, each line of which is an entry or the beginning of one."""
    start = last = entries = number = 0
    for place, (_, line) in enumerate(lines):
        entry = _entry(line.text)
        if entry is None:
            continue
        goes_on = entries and place - last <= 1 + _WRAPPED and entry[1] >= number
        if not goes_on:
            if entries >= _LEAST_ENTRIES:
                yield start, last + 1
            start, entries = place, 0
        last, entries, number = place, entries + 1, entry[1]
    if entries >= _LEAST_ENTRIES:
        yield start, last + 1


def _entry(text: str) -> tuple[str, int] | None:
    """The title and the number of a line that may be an entry; None of any other line."""
    number = _NUMBER.search(text)
    if number is None:
        return None
    title = text[: number.start()].rstrip(_LEADERS)
    leaders = text[len(title) : number.start()].strip()
    parted = len(leaders) > 1 or (text[number.start() - 1].isspace() and not title[-1:].isdigit())
    return (title, int(number[0])) if title and parted else None


def _said(text: str) -> str:
    """The letters and digits of a line, by which it is the same in small and large letters."""
    return "".join(filter(str.isalnum, text.casefold()))
