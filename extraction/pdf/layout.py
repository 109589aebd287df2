"""From the lines of a PDF's pages to blocks: headings, paragraphs, items; running heads and feet go."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from extraction.pdf.page import Line, Page, Table
from extraction.structure import Structure
from extraction.tables import Cell, Row, add_table
from retriever.types import BlockKind, Locator

_EDGE = 0.12  # of a page's height: running heads stand above, feet below
_LARGER = 1.12  # a heading's letters against those of the text
_LARGER_AND_OTHER = 1.04  # those of a heading that is of another font or colour, too
_BOLD = ("bold", "black", "heavy")
_CONTENTS = re.compile(r"\S.*\D\s\.*\s?\d{1,4}$")
_LONGEST_HEADING = 200
_BULLET = re.compile(r"[•▪◦‣●○■□–*➢✓o-]\s+")
_NUMBER = re.compile(r"(\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|\(?[ivx]{1,5}[.)])\s+\S")
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”’)\]]*$")
_LAST_WORD = re.compile(r"(?<![^\W\d_])([^\W\d_]+)-$")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


class Layout:
    """Adds the pages of a document to its structure."""

    def __init__(self, structure: Structure, pages: Sequence[Page]) -> None:
        self._structure = structure
        self._running = _running_lines(pages)
        self._pages = pages
        lines = [line for page in pages for line in self._lines(page)]
        self._body, self._style = _commonest(lines)
        self._words = Counter(word.lower() for line in lines for word in _WORD.findall(line.text[:-1]))
        sizes = {line.size for line in lines if self._is_large(line)}
        self._levels = {size: level for level, size in enumerate(sorted(sizes, reverse=True), start=1)}
        self._contents = {page.number for page in pages if _is_contents(self._lines(page))}
        self._open: list[Line] = []  # the lines of the block that is being read
        self._page = 1  # where it began
        self._header: tuple[tuple[float, ...], list[Cell]] | None = None

    def add(self) -> None:
        """Add every block of every page."""
        for page in self._pages:
            right = _right_margin(self._lines(page))
            for part in page.parts:
                if isinstance(part, Table):
                    self._close()
                    self._table(part, page.number)
                elif part.text and not self._is_running(part, page):
                    self._line(part, page.number, right)
        self._close()

    def _lines(self, page: Page) -> Iterator[Line]:
        for part in page.parts:
            if isinstance(part, Line) and part.text and not self._is_running(part, page):
                yield part

    def _is_running(self, line: Line, page: Page) -> bool:
        return _in_edge(line, page) and _pattern(line.text) in self._running

    def _is_large(self, line: Line) -> bool:
        least = _LARGER_AND_OTHER if line.style != self._style else _LARGER
        return line.size > self._body * least and len(line.text) <= _LONGEST_HEADING

    def _line(self, line: Line, page: int, right: float) -> None:
        if self._open and not self._goes_on(line, page, right):
            self._close()
        if not self._open:
            self._page = page
        self._open.append(line)

    def _goes_on(self, line: Line, page: int, right: float) -> bool:
        """Whether a line belongs to the block that is being read."""
        last, first = self._open[-1], self._open[0]
        if (
            page in self._contents
            or abs(last.size - line.size) > 0.6
            or _is_bold(last) != _is_bold(line)
            or _marker(line.text)
        ):
            return False
        if page != self._page and last.box.bottom < line.box.bottom:  # over the end of a page
            return not _SENTENCE_END.search(last.text) and line.text[0].islower()
        height = max(last.size, 1)
        down = last.box.bottom - line.box.bottom
        if not 0 < down <= 1.75 * height + 1:
            return False
        if self._is_large(line) or _is_bold(line):
            return True
        indented = line.box.left - first.box.left
        if indented < -height or (indented > height and not _marker(first.text) and len(self._open) > 1):
            return False
        wide = right - last.box.left
        return wide <= 0 or right - last.box.right < 0.25 * wide or line.text[0].islower()

    def _close(self) -> None:
        """Add the block that was read."""
        lines, self._open = self._open, []
        if not lines:
            return
        text, first = self._joined([line.text for line in lines]), lines[0]
        locator = Locator.page(self._page)
        level = self._heading_level(first, text)
        marker = _marker(text)
        if self._page in self._contents:
            self._structure.add(BlockKind.ITEM, text, locator)
        elif level is not None:
            self._structure.heading(text, level, locator)
        elif marker is not None:
            self._structure.add(BlockKind.ITEM, text[len(marker) :] if _BULLET.match(text) else text, locator)
        else:
            self._structure.add(BlockKind.PARAGRAPH, text, locator)

    def _heading_level(self, first: Line, text: str) -> int | None:
        if len(text) > _LONGEST_HEADING or not any(map(str.isalpha, text)):
            return None
        if self._is_large(first):
            return self._levels[first.size]
        alone = _is_bold(first) and not _SENTENCE_END.search(text) and _BULLET.match(text) is None
        return len(self._levels) + 1 if alone else None

    def _joined(self, lines: Iterable[str]) -> str:
        text = ""
        for line in lines:
            text = self._two_joined(text, line) if text else line
        return text

    def _two_joined(self, text: str, line: str) -> str:
        """Two lines as one. A hyphen between them goes only where it is sure to be none of the word's own.

        That is so for a soft hyphen, and where the document has the word elsewhere without a hyphen and never with one.
        """
        if text.endswith("\u00ad"):
            return text[:-1] + line
        before, after = _LAST_WORD.search(text), _FIRST_WORD.match(line)
        if before is None or after is None:
            return text + ("" if text.endswith("-") and line[0].isalnum() else " ") + line
        one, two = (before[1] + after[0]).lower(), f"{before[1]}-{after[0]}".lower()
        return (text[:-1] if self._words[one] and not self._words[two] else text) + line

    def _table(self, table: Table, page: int) -> None:
        """Add a table; one that goes on from the page before, in the same columns, keeps its header."""
        rows = [[Cell(self._joined(text.split("\n"))) for text in row] for row in table.rows]
        header: list[Cell] = []
        if len(rows) > 1 and table.styles[0] not in table.styles[1:]:
            header = rows.pop(0)
            self._header = (table.columns, header)
        elif self._header is not None and _same(self._header[0], table.columns):
            header = self._header[1]
        else:
            self._header = None
        locator = Locator.page(page)
        head = [Row(header, locator, heads=True)] if header else []
        add_table(self._structure, [*head, *(Row(row, locator) for row in rows)])


def _commonest(lines: Iterable[Line]) -> tuple[float, str]:
    """Size and style of most of the text."""
    seen: Counter[tuple[float, str]] = Counter()
    for line in lines:
        seen[line.size, line.style] += len(line.text)
    return max(seen, key=lambda kind: (seen[kind], kind), default=(0.0, ""))


def _is_bold(line: Line) -> bool:
    return any(name in line.style for name in _BOLD)


def _is_contents(lines: Iterable[Line]) -> bool:
    """Whether these are the lines of a table of contents: most end with a number."""
    ends = [_CONTENTS.fullmatch(line.text) is not None for line in lines]
    return len(ends) >= 4 and sum(ends) * 2 > len(ends)


def _right_margin(lines: Iterable[Line]) -> float:
    """How far to the right the page's lines reach, but for the longest twentieth."""
    ends = sorted(line.box.right for line in lines)
    return ends[int(len(ends) * 0.95) - 1] if ends else 0.0


def _in_edge(line: Line, page: Page) -> bool:
    return line.box.bottom > page.height * (1 - _EDGE) or line.box.top < page.height * _EDGE


def _pattern(text: str) -> str:
    """A line without its numbers and spaces: what running heads of different pages have in common."""
    return re.sub(r"[\d\s]+|\b[ivxlc]{1,6}\b", "", text)


def _running_lines(pages: Sequence[Page]) -> set[str]:
    """Patterns of the lines that stand at the edge of at least three pages and of every fifth."""
    seen: Counter[str] = Counter()
    for page in pages:
        edge = (part for part in page.parts if isinstance(part, Line) and _in_edge(part, page))
        seen.update({_pattern(line.text) for line in edge})
    return {pattern for pattern, count in seen.items() if count >= max(3, len(pages) / 5)}


def _marker(text: str) -> str | None:
    """The bullet or the number that the text of an item begins with."""
    found = _BULLET.match(text) or _NUMBER.match(text)
    return found[0] if found else None


def _same(some: Sequence[float], others: Sequence[float]) -> bool:
    return len(some) == len(others) and all(abs(a - b) < 5 for a, b in zip(some, others, strict=True))
