"""A document's text, put together block by block, as a reader of the original sees it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from common.deadline import Check, go_on
from common.lines import lines_of
from retriever.types import Block, BlockKind, Locator, LocatorKind, Span

_LINES = (BlockKind.ITEM, BlockKind.ROW, BlockKind.FIELD)  # these follow each other line by line
_INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\u00ad\u200b\ufeff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Structure:
    """Takes a document's blocks in order; ``text`` and ``blocks`` are then what a ``Document`` needs.

    Runs of white space become one space; a line break that is given stays one. Code keeps its white space.
    Characters that nobody sees (controls, soft hyphens, marks of byte order) go.

    ``sections``: the locator of a block that comes without one is the heading that it stands under. ``check`` is asked
    before each block, and raises where the reading has to end.
    """

    def __init__(self, *, sections: bool = False, check: Check = go_on) -> None:
        self._sections, self._check = sections, check
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._headings: list[tuple[int, str]] = []  # level, text: those that the next block stands under
        self._first_heading: str | None = None

    @property
    def text(self) -> str:
        """The stored text."""
        return "".join(self._parts)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The blocks of ``text``."""
        return tuple(self._blocks)

    @property
    def first_heading(self) -> str | None:
        """The first heading with a letter or a digit, outside of labelled parts: a title, where there is none."""
        return self._first_heading

    def heading(self, text: str, level: int, locator: Locator | None = None) -> None:
        """Add a heading. What follows stands under it, up to the next one of its level or above (1 is the top)."""
        line = " ".join(visible(text).split())
        if not line:
            return
        while self._headings and self._headings[-1][0] >= level:
            self._headings.pop()
        self._append(BlockKind.HEADING, line, locator)
        self._headings.append((level, line))
        if self._first_heading is None and any(map(str.isalnum, line)):
            self._first_heading = line

    @contextmanager
    def labelled(self, label: str, locator: Locator | None = None) -> Iterator[None]:
        """Add the label of a part, such as a tab or a box; only what is added meanwhile stands under it."""
        outer, first = list(self._headings), self._first_heading
        self.heading(label, outer[-1][0] + 1 if outer else 1, locator)
        yield
        self._headings, self._first_heading = outer, first

    def code(self, text: str, locator: Locator | None = None) -> None:
        """Add code, its lines and their indentation as they are."""
        lines = [line.rstrip() for line in lines_of(visible(text))]
        self._append(BlockKind.CODE, "\n".join(lines).strip("\n"), locator)

    def add(self, kind: BlockKind, text: str, locator: Locator | None = None) -> None:
        """Add running text, its white space made plain; nothing where it has no characters."""
        self._append(kind, tidy(text), locator)

    def row(self, header: list[str], cells: list[str], locator: Locator | None = None) -> None:
        """Add a row of a table as one line, ``header: cell; header: cell``; empty cells are left out."""
        names = header if len(header) >= len(cells) else [*header, *[""] * (len(cells) - len(header))]
        pairs = zip(names, map(one_line, cells), strict=False)
        line = "; ".join(with_name(one_line(name), cell) for name, cell in pairs if cell)
        self._append(BlockKind.ROW, line, locator)

    def _append(self, kind: BlockKind, text: str, locator: Locator | None) -> None:
        self._check()
        if not text.strip():
            return
        if self._blocks:
            same = self._blocks[-1].kind is kind and kind in _LINES
            self._write("\n" if same else "\n\n")
        start = self._length + len(text) - len(text.lstrip())
        self._write(text)
        span = Span(start, start + len(text.strip()))
        path = tuple(line for _, line in self._headings)
        if locator is None and self._sections and (path or kind is BlockKind.HEADING):
            locator = Locator(LocatorKind.SECTION, text if kind is BlockKind.HEADING else path[-1])
        self._blocks.append(Block(kind, span, path, locator))

    def _write(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)


def names(text: str) -> frozenset[str]:
    """The names in a text that lists them between spaces."""
    return frozenset(text.split())


def visible(text: str) -> str:
    """The text without characters that nobody sees; a half surrogate pair becomes the sign for a lost character."""
    return _SURROGATE.sub("\ufffd", _INVISIBLE.sub("", text))


def tidy(text: str) -> str:
    """The text with one space between words; its line breaks stay, blank lines go."""
    lines = (" ".join(line.split()) for line in visible(text).split("\n"))
    return "\n".join(line for line in lines if line)


def one_line(text: str) -> str:
    """The text on one line, one space between words."""
    return " ".join(visible(text).split())


def with_name(name: str, value: str) -> str:
    """``name: value``, as fields and cells of a table are written; the value alone where there is no name."""
    return f"{name.removesuffix(':').rstrip()}: {value}" if name else value
