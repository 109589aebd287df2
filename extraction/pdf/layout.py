"""From the lines of a PDF's pages to blocks: headings, paragraphs, items. Running heads, feet and contents go."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from extraction.pdf.contents import are_contents, contents_lines
from extraction.pdf.page import Line, Page, Table
from extraction.pdf.running import running_lines
from extraction.structure import Structure
from extraction.tables import Cell, Row, add_table
from retriever.types import BlockKind, Locator

_INDENT = 0.5  # of the letters' size: lines further apart begin at different places
_COLUMN = 3.0  # of the text's size: how far apart the lines of one column begin, at most
_NARROWEST = 12.0  # of the text's size: a column of text is no narrower
_LARGER = 1.12  # a heading's letters against those of the text
_LARGER_AND_OTHER = 1.04  # those of a heading that is of another font or colour, too
_BOLD = ("bold", "black", "heavy")
_LONGEST_HEADING = 200
_SURE_BULLET = re.compile(r"[•▪◦‣●○■□➢✓]\s+")
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
        self._pages = pages
        self._left_out: set[tuple[int, Line]] = set()
        self._body, self._style = _commonest(line for page in pages for line in self._lines(page))
        self._left_out = running_lines(pages, self._is_large)
        contents = contents_lines([(page.number, line) for page in pages for line in self._lines(page)])
        self._left_out |= contents
        self.contents_pages = sorted({number for number, _ in contents})
        """Numbers of the pages whose table of contents is left out."""
        lines = [line for page in pages for line in self._lines(page)]
        self._body, self._style = _commonest(lines)
        self._words = Counter(word.lower() for line in lines for word in _WORD.findall(line.text[:-1]))
        sizes = {line.size for line in lines if self._is_large(line)}
        self._levels = {size: level for level, size in enumerate(sorted(sizes, reverse=True), start=1)}
        self._contents = {page.number for page in pages if are_contents(self._lines(page))}
        self._open: list[Line] = []  # the lines of the block that is being read
        self._first = 0  # the number of the first of them in the column that is being read
        self._began = self._page = 1  # the page where the block began, and the page of its last line
        self._right: dict[Line, float] = {}
        self._header: tuple[tuple[float, ...], list[Cell]] | None = None

    def add(self) -> None:
        """Add every block of every page."""
        for page in self._pages:
            self._right |= _right_margins(list(self._lines(page)), self._body)
            for part in page.parts:
                if isinstance(part, Table):
                    self._close()
                    self._table(part, page.number)
                elif self._is_read(part, page):
                    self._line(part, page.number)
        self._close()

    def _lines(self, page: Page) -> Iterator[Line]:
        for part in page.parts:
            if isinstance(part, Line) and self._is_read(part, page):
                yield part

    def _is_read(self, line: Line, page: Page) -> bool:
        return bool(line.text) and (page.number, line) not in self._left_out

    def _is_large(self, line: Line) -> bool:
        least = _LARGER_AND_OTHER if line.style != self._style else _LARGER
        return line.size > self._body * least and len(line.text) <= _LONGEST_HEADING

    def _line(self, line: Line, page: int) -> None:
        moves = bool(self._open) and (page != self._page or self._open[-1].box.bottom < line.box.bottom)
        if self._open and not self._goes_on(line, page, moves=moves):
            self._close()
        if not self._open:
            self._began = page
        if not self._open or moves:
            self._first = len(self._open)
        self._open.append(line)
        self._page = page

    def _goes_on(self, line: Line, page: int, *, moves: bool) -> bool:
        """Whether a line belongs to the block that is being read.

        ``moves``: it stands on another page than the line before it, or higher up.
        """
        last, first = self._open[-1], self._open[self._first]
        if page in self._contents or abs(last.size - line.size) > 0.6 or self._begins_item(line, moves=moves):
            return False
        amid = not _SENTENCE_END.search(last.text) and line.text[0].islower()
        other = _is_bold(last) != _is_bold(line)
        if moves or other:
            return amid and (not other if moves else self._is_full(last) and self._is_below(line))
        if not self._is_below(line):
            return False
        if self._is_large(line) or _is_bold(line):
            return True
        height = max(last.size, 1)
        indented = line.box.left - first.box.left
        if indented < -height or (
            indented > height and not _marker(first.text) and len(self._open) > self._first + 1
        ):
            return False
        return self._is_full(last) or line.text[0].islower()

    def _is_below(self, line: Line) -> bool:
        last = self._open[-1]
        return 0 < last.box.bottom - line.box.bottom <= 1.75 * max(last.size, 1) + 1

    def _is_full(self, line: Line) -> bool:
        wide = max(self._right[line], line.box.right) - line.box.left
        return wide >= _NARROWEST * self._body and self._right[line] - line.box.right < 0.25 * wide

    def _begins_item(self, line: Line, *, moves: bool) -> bool:
        """Whether a line begins with the marker of an item, and not with a number, an initial or a dash of a sentence.

        It does with a bullet, after a line that was finished or short, where the items' markers go on, and where the
        line is indented otherwise than the one before, unless as the second line of a paragraph or an item may be.
        """
        marker = _marker(line.text)
        last, first = self._open[-1], self._open[self._first]
        if marker is None:
            return False
        if moves or _SURE_BULLET.match(marker) or _SENTENCE_END.search(last.text) or not self._is_full(last):
            return True
        before = _marker(first.text)
        indent = _INDENT * line.size
        if before is not None and abs(line.box.left - first.box.left) <= indent and _follows(before, marker):
            return True
        moved = line.box.left - last.box.left
        return moved > indent and before is None if first is last else abs(moved) > indent

    def _close(self) -> None:
        """Add the block that was read."""
        lines, self._open = self._open, []
        if not lines:
            return
        text, first = self._joined([line.text for line in lines]), lines[0]
        locator = Locator.page(self._began)
        level = self._heading_level(first, text)
        marker = _marker(text)
        if self._began in self._contents:
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
        rows = [
            [replace(cell, text=self._joined(cell.text.split("\n"))) for cell in row] for row in table.rows
        ]
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


def _right_margins(lines: Sequence[Line], size: float) -> dict[Line, float]:
    """How far to the right each line could reach: as the lines of its column do, or of the page where it has none.

    The lines of a column begin at about the same place, and fill it, but for the longest twentieth; another column of
    a third as many lines, at least, begins to the right of them.
    """
    columns: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: line.box.left):
        if not columns or line.box.left - columns[-1][0].box.left > _COLUMN * size:
            columns.append([])
        columns[-1].append(line)
    begins = [column[0].box.left for column in columns]
    most = [0]  # how many lines the largest column has, of those from each on
    for column in reversed(columns):
        most.append(max(most[-1], len(column)))
    most.reverse()
    everywhere = _reach(lines)
    margins: dict[Line, float] = {}
    for column in columns:
        own, left = _reach(column), column[0].box.left
        beside = most[bisect_right(begins, own)]
        is_column = 3 * beside >= len(column) >= 3 <= beside and own - left >= _NARROWEST * size
        margins |= dict.fromkeys(column, own if is_column else everywhere)
    return margins


def _reach(lines: Sequence[Line]) -> float:
    ends = sorted(line.box.right for line in lines)
    return ends[-1 - len(ends) // 20] if ends else 0.0


def _marker(text: str) -> str | None:
    """The bullet or the number that the text of an item begins with."""
    if bullet := _BULLET.match(text):
        return bullet[0]
    number = _NUMBER.match(text)
    return number[1] if number else None


def _follows(before: str, marker: str) -> bool:
    """Whether one marker comes after another in a list: a number or a letter after the one before it."""
    one, two = ("".join(filter(str.isalnum, each)) for each in (before, marker))
    if one.isdigit() and two.isdigit():
        return int(two) == int(one) + 1
    if len(one) == len(two) == 1:
        return ord(two) == ord(one) + 1
    return bool(one) == bool(two)


def _same(some: Sequence[float], others: Sequence[float]) -> bool:
    return len(some) == len(others) and all(abs(a - b) < 5 for a, b in zip(some, others, strict=True))
