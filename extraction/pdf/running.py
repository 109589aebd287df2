"""Running heads and feet of a PDF's pages: the lines that are no part of its text."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise

from extraction.pdf.page import Line, Page

_EDGE = 0.12  # of a page's height: running heads stand above, feet below
_ROWS = 2  # the outermost at each edge
_APART = 1.25  # of the letters' size: how far they stand from the text, at least
_SAME_HEIGHT = 6.0  # points
_LEAST_PAGES = 3
_LEAST_SHARE = 0.2  # of the pages: where a line is the same on all of them, and has no page's number
_HIGHEST = 999  # a higher number is that of a page only where there are so many

_NUMBER = (
    r"(?P<number>\d{1,5}|(?=[ivxlc])c{0,3}(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3}))(?:\s?(?:of|/)\s?\d{1,5})?"
)
_WORD = r"(?:\bpage|\bpg\.?|\bp\.)\s?"
_PAGE_NUMBERS = (
    re.compile(rf"{_WORD}{_NUMBER}\b", re.IGNORECASE),
    re.compile(rf"{_NUMBER}(?=\t|\s[|·•])", re.IGNORECASE),
    re.compile(rf"(?:.*(?:\t|[|·•]\s|{_WORD})|[-–—\s\[(]*){_NUMBER}[-–—|\s\])]*$", re.IGNORECASE),
)
_NOTHING_ELSE = re.compile(rf"\W*(?:{_WORD})?#(?:roman)?(?:\s?(?:of|/)\s?\d+)?\W*", re.IGNORECASE)
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}

_Key = tuple[bool, str, int | None]
"""Whether at the top, the text without the page's number, and how far that number is ahead of the pages counted."""


def running_lines(pages: Sequence[Page], is_heading: Callable[[Line], bool]) -> set[tuple[int, Line]]:
    """Page number and line of each running head and foot.

    It stands at about the same height as on other pages, among the two outermost lines, with the same text there, or
    with a text that differs in the page's own number alone. That number stands apart: it is the whole line, or follows
    the word "page", or is parted from the rest by a wide gap or a bar. "Section 3" is text, and so is a heading with a
    number.
    """
    seen: dict[_Key, list[tuple[float, int, Line]]] = defaultdict(list)
    for page in pages:
        for at_top in (True, False):
            for depth, line in _outermost(page, at_top=at_top):
                seen[at_top, line.text, None].append((depth, page.number, line))
                for text, number in _numbered(line):
                    heads = is_heading(line) and not _NOTHING_ELSE.fullmatch(text)
                    if number <= max(_HIGHEST, len(pages)) and not heads:
                        seen[at_top, text, number - page.number].append((depth, page.number, line))
    running: set[tuple[int, Line]] = set()
    for (_, _, ahead), found in seen.items():
        middle = sorted(depth for depth, _, _ in found)[len(found) // 2]
        level = {(number, line) for depth, number, line in found if abs(depth - middle) <= _SAME_HEIGHT}
        least = _LEAST_PAGES if ahead is not None else max(_LEAST_PAGES, _LEAST_SHARE * len(pages))
        if len({number for number, _ in level}) >= least:
            running |= level
    return running


def _outermost(page: Page, *, at_top: bool) -> Iterator[tuple[float, Line]]:
    """How far from the edge each line of the outermost rows stands, in points, and the line.

    None of the rows that the text follows as its own lines follow each other: those may be a table's head.
    """
    lines = [part for part in page.parts if isinstance(part, Line)]
    depths = [page.height - line.box.top if at_top else line.box.bottom for line in lines]
    rows: list[list[tuple[float, Line]]] = []
    for depth, line in sorted(zip(depths, lines, strict=True), key=lambda found: found[0]):
        if rows and depth - rows[-1][0][0] <= line.size / 2:
            rows[-1].append((depth, line))
        elif len(rows) <= _ROWS:
            rows.append([(depth, line)])
        else:
            break
    apart = 0
    for number, (row, inner) in enumerate(pairwise(rows), start=1):
        if inner[0][0] - row[0][0] > _APART * max(row[0][1].size, inner[0][1].size):
            apart = number
    for depth, line in chain.from_iterable(rows[: apart if len(rows) > _ROWS else _ROWS]):
        if depth <= page.height * _EDGE:
            yield depth, line


def _numbered(line: Line) -> Iterator[tuple[str, int]]:
    """The line without a number that may be that of its page, and the number."""
    text = "\t".join(line.parts)
    for pattern in _PAGE_NUMBERS:
        if found := pattern.match(text):
            digits = found["number"]
            kind, number = ("#", int(digits)) if digits.isdigit() else ("#roman", _roman(digits.lower()))
            yield f"{text[: found.start('number')]}{kind}{text[found.end('number') :]}", number


def _roman(digits: str) -> int:
    values = [_ROMAN[digit] for digit in digits]
    return sum(-one if one < two else one for one, two in pairwise([*values, 0]))
