"""Tables as lines: a row becomes ``header: cell; header: cell``."""

from collections.abc import Sequence
from dataclasses import dataclass

from extraction.structure import Structure, one_line, with_name
from retriever.types import BlockKind, Locator

_WIDEST = 200  # columns; a span beyond is a mistake or an attack
_TALLEST = 2000
_MOST_SPANNED = 500_000  # slots of a table that cells from above or from the left reach into
_LONGEST_REPEATED = 100_000  # characters of a cell in all the rows that it spans


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


def add_table(structure: Structure, rows: Sequence[Row]) -> None:
    """Add the table's rows. Those that name the columns do not stand for themselves, unless no other row follows.

    A cell over several rows is read in each; one over several columns in its first. A table of names and values
    (two columns, no head, the first cell of each row a header) becomes fields.
    """
    rows = [row for row in rows if row.cells]
    head = next((number for number, row in enumerate(rows) if not row.is_header), len(rows))
    grid = _grid(rows)
    if head == len(rows):
        head = 0
    header = _header(rows[:head], grid[:head])
    pairs = not head and all(len(row.cells) == 2 and row.cells[0].heads and not row.is_header for row in rows)
    for row, cells in zip(rows[head:], grid[head:], strict=True):
        if pairs:
            name, value = map(one_line, cells)
            structure.add(BlockKind.FIELD, with_name(name, value), row.locator)
        else:
            structure.row(header, cells, row.locator)


def _header(rows: Sequence[Row], grid: Sequence[list[str]]) -> list[str]:
    """The columns' names: those of several rows one after the other."""
    names: list[list[str]] = [[] for _ in range(max(map(len, grid), default=0))]
    for row, texts in zip(rows, grid, strict=True):
        spread = [cell.text for cell in row.cells for _ in range(min(cell.columns, _WIDEST))]
        line = spread if len(spread) == len(texts) else texts  # a cell from above moves what stands beside it
        for column, text in enumerate(line):
            if text not in names[column]:
                names[column].append(text)
    return [" ".join(filter(None, map(one_line, texts))) for texts in names]


def _grid(rows: Sequence[Row]) -> list[list[str]]:
    """The text of every slot; what spans rows stands in each of them, what spans columns in the first."""
    grid: list[list[str]] = []
    above: dict[int, tuple[int, str]] = {}  # column: how many further rows a cell reaches into, its text
    left_to_span = _MOST_SPANNED
    for row in rows:
        texts: list[str] = []
        below: dict[int, tuple[int, str]] = {}
        cells = list(row.cells)
        while (cells or len(texts) in above) and len(texts) < _WIDEST:
            column = len(texts)
            if column in above:
                left, text = above[column]
                left_to_span -= 1
                texts.append(text)
                if left > 1:
                    below[column] = (left - 1, text)
                continue
            cell = cells.pop(0)
            width = max(1, min(cell.columns, _WIDEST - column, left_to_span))
            left_to_span -= width - 1
            texts += [cell.text, *[""] * (width - 1)]
            tallest = min(_TALLEST, 1 + _LONGEST_REPEATED // (len(cell.text) + 1))
            if min(cell.rows, tallest) > 1 and left_to_span > 0:
                below |= {column + n: (min(cell.rows, tallest) - 1, texts[column + n]) for n in range(width)}
        above = below
        grid.append(texts)
    return grid
