"""Tables as lines: a row becomes ``header: cell; header: cell``."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from extraction.structure import Structure, one_line, with_name
from retriever.types import BlockKind, Locator

_WIDEST = 200  # columns of one cell; a span beyond is a mistake or an attack
_TALLEST = 2000
_MOST_SPANNED = 500_000  # slots of a table that cells from above or from the left reach into
_LONGEST_REPEATED = 100_000  # characters of a cell in all the rows that it spans
_MOST_NAMED = 5_000_000  # characters of the columns' names in all the rows


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as the original has it. ``heads``: whether it is marked as a header."""

    text: str
    heads: bool = False
    columns: int = 1
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row. ``heads``: whether the row is marked as the table's head."""

    cells: Sequence[Cell]
    locator: Locator | None = None
    heads: bool = False

    @property
    def is_header(self) -> bool:
        """Whether the row names the columns."""
        return self.heads or all(cell.heads for cell in self.cells)

    @property
    def is_header_beside_corner(self) -> bool:
        """Whether the row names all columns but the first, where its cell is empty."""
        corner, *others = self.cells
        return not corner.text.strip() and bool(others) and all(cell.heads for cell in others)


def add_table(structure: Structure, rows: Sequence[Row]) -> None:
    """Add the table's rows. Those that name the columns do not stand for themselves, unless no other row follows.

    A cell over several rows is read in each; one over several columns in its first. A row of one cell over several
    columns is a title: it names no column and has no name. A table of names and values (two columns, no head, the first
    cell of each row a header) becomes fields.
    """
    rows = [row for row in rows if row.cells]
    grid = _grid(rows)
    titles = [len(slots) > 1 and all(slot.goes_on for slot in slots[1:]) for slots in grid]
    rest = [number for number, is_title in enumerate(titles) if not is_title]
    begins = rest[:1] if rest and rows[rest[0]].is_header_beside_corner else []
    head = {*begins, *takewhile(lambda number: rows[number].is_header, rest[len(begins) :])}
    if len(head) == len(rest):
        head = set()
    header = _header([grid[number] for number in sorted(head)])
    if sum(map(len, header)) * len(rows) > _MOST_NAMED:
        header, head = [], set()
    pairs = not head and all(_is_pair(rows[number]) for number in rest)
    for number, (row, slots, is_title) in enumerate(zip(rows, grid, titles, strict=True)):
        cells = ["" if slot.goes_on else slot.text for slot in slots]
        if is_title:
            structure.row([], cells, row.locator)
        elif pairs:
            name, value = map(one_line, cells)
            structure.add(BlockKind.FIELD, with_name(name, value), row.locator)
        elif number not in head:
            structure.row(header, cells, row.locator)


def _is_pair(row: Row) -> bool:
    return len(row.cells) == 2 and row.cells[0].heads and not row.is_header


class _Slot(NamedTuple):
    text: str
    goes_on: bool = False  # whether the cell began in a column before


def _header(grid: Sequence[Sequence[_Slot]]) -> list[str]:
    """The columns' names: those of several rows one after the other."""
    names: list[dict[str, None]] = [{} for _ in range(max(map(len, grid), default=0))]
    for slots in grid:
        for column, slot in enumerate(slots):
            names[column][one_line(slot.text)] = None
    return [" ".join(filter(None, texts)) for texts in names]


def _grid(rows: Sequence[Row]) -> list[list[_Slot]]:
    """What stands in every slot; what spans rows or columns stands in each of them."""
    grid: list[list[_Slot]] = []
    above: dict[
        int, tuple[int, _Slot]
    ] = {}  # column: how many further rows a cell reaches into, and what it is there
    left_to_span = _MOST_SPANNED
    for row in rows:
        slots: list[_Slot] = []
        below: dict[int, tuple[int, _Slot]] = {}
        cells = iter(row.cells)
        while True:
            column = len(slots)
            if column in above:
                left, slot = above[column]
                left_to_span -= 1
                slots.append(slot)
                if left > 1:
                    below[column] = (left - 1, slot)
                continue
            cell = next(cells, None)
            if cell is None:
                break
            width = max(1, min(cell.columns, _WIDEST, left_to_span))
            left_to_span -= width - 1
            slots += [_Slot(cell.text), *[_Slot(cell.text, goes_on=True)] * (width - 1)]
            tallest = min(_TALLEST, 1 + _LONGEST_REPEATED // (len(cell.text) + 1))
            if min(cell.rows, tallest) > 1 and left_to_span > 0:
                below |= {column + n: (min(cell.rows, tallest) - 1, slots[column + n]) for n in range(width)}
        above = below
        grid.append(slots)
    return grid
