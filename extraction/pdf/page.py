"""A page of a PDF file: its lines, and its ruled tables, by where their characters stand."""

import ctypes
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as raw

from extraction.raised import raised
from extraction.structure import tidy
from extraction.tables import Cell

_THIN = 3.0  # points: a rectangle no wider is a ruled line
_NEAR = 3.0  # points: lines no further apart are one
_LEAST = (
    0.4  # of a table's height or width: rules at a place that are shorter together part no columns or rows
)
_MOST_RULES = 4000  # a drawing has more; a table has not
_MOST_SLOTS = 200_000  # of a table
_WORD_GAP = (
    0.5  # of the letters' size: the words of a line stand nearer to each other, those of two cells do not
)
_SMALLER = 0.85  # the letters of a superscript or a subscript, at most, against those of the line
_RAISED = 0.15  # of the line's size: how much higher than the line a superscript stands, at least
_GAP = 0.15  # of the line's size: white space between letters, where pdfium saw an end of the line
_DINGBATS = {"ü": "✓", "û": "✗", "þ": "☑", "ý": "☒", "§": "▪", "¨": "☐", "q": "☐"}  # of the font Wingdings
_PRIVATE = {"\uf0b7": "•", "\uf0a7": "▪", "\uf0fc": "✓", "\uf0fb": "✗", "\uf0d8": "➢", "\uf0a8": "☐"}
_BROKEN_WORD = "\x02"  # how pdfium writes a hyphen that ends a line, whose end it leaves out


class Box(NamedTuple):
    """Left, bottom, right and top in points; the page's lower left corner is (0, 0)."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2


class Glyph(NamedTuple):
    """A character where it stands; ``box`` is None for white space that pdfium found between two.

    ``baseline``: the height that it stands on, in points.
    """

    text: str
    box: Box | None
    size: float
    style: str
    baseline: float


_END = Glyph("\n", None, 0, "", 0)
_SPACE = Glyph(" ", None, 0, "", 0)
_WIDE = Glyph("\t", None, 0, "", 0)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text. ``size``: of its letters, in points. ``style``: their font and colour; both as most have it.

    ``parts``: the text in the parts that gaps wider than a letter's height leave.
    """

    text: str
    box: Box
    size: float
    style: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A ruled table: its cells by row, with their lines. ``styles``: font and colour of most letters of each row."""

    rows: tuple[tuple[Cell, ...], ...]
    styles: tuple[str, ...]
    columns: tuple[float, ...]
    box: Box


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows, in its order. ``height`` in points."""

    number: int
    height: float
    parts: tuple[Line | Table, ...]


def read_page(page: pdfium.PdfPage, number: int) -> Page:
    """The lines and tables of a page, in the order in which the file has them."""
    text_page = page.get_textpage()
    try:
        glyphs = list(_glyphs(text_page))
    finally:
        text_page.close()
    grids = list(_grids(_rules(page)))
    parts: list[Line | Table] = []
    run: list[Glyph] = []
    inside: dict[int, list[Glyph]] = {}
    last: int | None = None
    for glyph in glyphs:
        at = last if glyph.box is None else _grid_at(grids, glyph.box.middle)
        if at is None:
            run.append(glyph)
        else:
            if at not in inside:
                parts += _lines(run)
                run = []
                parts.append(
                    Table((), (), (), Box(0, 0, 0, at))
                )  # keeps the place of the grid of this number
            inside.setdefault(at, []).append(glyph)
        last = at
    parts += _lines(run)
    filled = [
        _filled(grids[int(part.box.top)], inside[int(part.box.top)]) if isinstance(part, Table) else [part]
        for part in parts
    ]
    return Page(number, page.get_height(), tuple(part for these in filled for part in these))


def _glyphs(text_page: pdfium.PdfTextPage) -> Iterator[Glyph]:
    handle = text_page.raw
    numbers = [ctypes.c_double() for _ in range(4)]
    left, right, bottom, top = numbers
    places = [ctypes.byref(number) for number in numbers]
    name = ctypes.create_string_buffer(64)
    colours = [ctypes.c_uint() for _ in range(4)]
    channels = [ctypes.byref(colour) for colour in colours]
    flags, loose = ctypes.c_int(), raw.FS_RECTF()
    x, y = ctypes.c_double(), ctypes.c_double()
    for index in range(raw.FPDFText_CountChars(handle)):
        code = raw.FPDFText_GetUnicode(handle, index)
        text = chr(code) if 0 < code < 0x110000 else ""
        if not text:
            continue
        if text.isspace():
            yield _END if text in "\r\n" else _SPACE
            continue
        raw.FPDFText_GetCharBox(handle, index, *places)
        box = Box(left.value, bottom.value, right.value, top.value)
        raw.FPDFText_GetFontInfo(handle, index, name, 64, ctypes.byref(flags))
        raw.FPDFText_GetFillColor(handle, index, *channels)
        font = name.value.decode(errors="replace").lower()
        if "wingdings" in font:
            text = _DINGBATS.get(text, text)
        style = f"{font} {'-'.join(str(colour.value) for colour in colours)}"
        raw.FPDFText_GetLooseCharBox(handle, index, ctypes.byref(loose))
        size = loose.top - loose.bottom  # the font's own size is in units that the page may scale
        raw.FPDFText_GetCharOrigin(handle, index, ctypes.byref(x), ctypes.byref(y))
        yield Glyph("-" if text == _BROKEN_WORD else _PRIVATE.get(text, text), box, size, style, y.value)
        if text == _BROKEN_WORD:
            yield _END


def _lines(glyphs: Iterable[Glyph]) -> Iterator[Line]:
    for line in _by_line(glyphs):
        seen = [glyph for glyph in line if glyph.box is not None]
        text = _text(line)
        parts = tuple(part for words in text.split("\t") if (part := " ".join(words.split())))
        style = Counter(glyph.style for glyph in seen).most_common(1)[0][0]
        box = _around(glyph.box for glyph in seen if glyph.box)
        yield Line(" ".join(text.split()), box, _commonest_size(seen), style, parts)


def _by_line(glyphs: Iterable[Glyph]) -> Iterator[list[Glyph]]:
    """The characters of each line that has some to see. For pdfium, a superscript or a subscript may end a line."""
    line: list[Glyph] = []
    last = full = None  # the line's last character to see, and its largest
    ended = False
    for glyph in glyphs:
        if glyph.box is None:
            ended = ended or glyph is _END
            line += [] if glyph is _END else [glyph]
            continue
        if ended and last is not None and full is not None:
            if not _stands_beside(last, glyph, max(full, glyph, key=_size)):
                yield line
                line, full = [], None
            elif last.box is not None and glyph.box.left - last.box.right > _GAP * full.size:
                line.append(_SPACE)
        line.append(glyph)
        last, full, ended = glyph, max(full or glyph, glyph, key=_size), False
    if last is not None:
        yield line


def _size(glyph: Glyph) -> float:
    return glyph.size


def _stands_beside(last: Glyph, glyph: Glyph, full: Glyph) -> bool:
    """Whether a character stands behind the last of a line, and one of the two is small beside the largest."""
    if last.box is None or glyph.box is None:
        return False
    return (
        min(last.size, glyph.size) < _SMALLER * full.size
        and max(abs(last.baseline - glyph.baseline), abs(full.baseline - glyph.baseline)) < 0.6 * full.size
        and -0.6 * full.size < glyph.box.left - last.box.right < 0.5 * full.size
    )


def _text(line: Sequence[Glyph]) -> str:
    """The text of a line, with a tab at every gap that is wider than its letters are high.

    What stands raised is written so: 10 with a small 6 above the line is no 106.
    """
    size = _commonest_size(line)
    full = Counter(round(glyph.baseline, 1) for glyph in line if glyph.box and round(glyph.size, 1) == size)
    least = full.most_common(1)[0][0] + _RAISED * size if full else 0.0

    def is_raised(glyph: Glyph) -> bool:
        small = glyph.box is not None and glyph.size < _SMALLER * size
        return small and glyph.baseline > least and glyph.text not in ",;"

    runs = (
        (up, "".join(glyph.text for glyph in run)) for up, run in groupby(_with_gaps(line, size), is_raised)
    )
    return "".join(raised(text) if up else text for up, text in runs)


def _with_gaps(line: Iterable[Glyph], size: float) -> Iterator[Glyph]:
    last: Box | None = None
    for glyph in line:
        if glyph.box is not None:
            if last is not None and glyph.box.left - last.right > size:
                yield _WIDE
            last = glyph.box
        yield glyph


def _commonest_size(glyphs: Iterable[Glyph]) -> float:
    sizes = Counter(round(glyph.size, 1) for glyph in glyphs if glyph.box is not None)
    return sizes.most_common(1)[0][0]


def _around(boxes: Iterable[Box]) -> Box:
    left, bottom, right, top = zip(*boxes, strict=True)
    return Box(min(left), min(bottom), max(right), max(top))


class _Grid(NamedTuple):
    """Where the ruled lines of a table stand: from left to right, and from top to bottom.

    ``open``: the row and the number of each upright line within the table that is not drawn in that row.
    """

    columns: tuple[float, ...]
    rows: tuple[float, ...]
    open: frozenset[tuple[int, int]]


def _rules(page: pdfium.PdfPage) -> list[Box]:
    """Every thin rectangle and every edge of a larger one that the page draws."""
    rules: list[Box] = []
    for drawn in page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=3):
        left, bottom, right, top = _bounds(drawn)
        if right - left <= _THIN or top - bottom <= _THIN:
            rules.append(Box(left, bottom, right, top))
        elif right - left < page.get_width() * 0.95 or top - bottom < page.get_height() * 0.5:
            rules += [Box(left, at, right, at) for at in (bottom, top)]
            rules += [Box(at, bottom, at, top) for at in (left, right)]
        if len(rules) > _MOST_RULES:
            return []
    return [rule for rule in rules if max(rule.right - rule.left, rule.top - rule.bottom) > 2 * _THIN]


def _bounds(drawn: pdfium.PdfObject) -> tuple[float, float, float, float]:
    try:
        left, bottom, right, top = drawn.get_bounds()
    except pdfium.PdfiumError:
        return 0.0, 0.0, 0.0, 0.0
    return left, bottom, right, top


def _grids(rules: Sequence[Box]) -> Iterator[_Grid]:
    """A grid for each group of ruled lines that touch each other, where it has two rows and two columns at least."""
    for group in _touching(rules):
        box = _around(group)
        upright = [rule for rule in group if rule.right - rule.left <= _THIN]
        level = [rule for rule in group if rule.top - rule.bottom <= _THIN]
        lengths = _places((rule.bottom, rule.right - rule.left) for rule in level)
        rows = [at for at, length in lengths if length >= _LEAST * (box.right - box.left)]
        lengths = _places(
            [(r.left, r.top - r.bottom) for r in upright] + [(x, 0) for r in level for x in (r.left, r.right)]
        )
        columns = [
            at
            for at, length in lengths
            if length >= _LEAST * (box.top - box.bottom) or _meets(at, level, rows) > max(2, len(rows) / 2)
        ]
        if len(columns) >= 3 and len(rows) >= 3 and len(columns) * len(rows) <= _MOST_SLOTS:
            rows.reverse()
            yield _Grid(tuple(columns), tuple(rows), frozenset(_open(columns, rows, upright)))


def _open(
    columns: Sequence[float], rows: Sequence[float], upright: Sequence[Box]
) -> Iterator[tuple[int, int]]:
    middles = [(above + below) / 2 for above, below in pairwise(rows)]
    for number, place in enumerate(columns[1:-1], start=1):
        drawn = [rule for rule in upright if abs(rule.left - place) <= _NEAR]
        for row, middle in enumerate(middles):
            if not any(rule.bottom <= middle <= rule.top for rule in drawn):
                yield row, number


def _meets(place: float, level: Sequence[Box], rows: Sequence[float]) -> int:
    """On how many of the rows' rules one begins or ends at this place."""
    ends = [rule.bottom for rule in level if min(abs(rule.left - place), abs(rule.right - place)) <= _NEAR]
    return sum(any(abs(row - end) <= _NEAR for end in ends) for row in rows)


def _touching(rules: Sequence[Box]) -> Iterator[list[Box]]:
    """The rules in groups, those of one group connected by rules that touch."""
    if not rules:
        return
    left, bottom, right, top = np.asarray(rules).T
    free = np.ones(len(rules), dtype=bool)
    while free.any():
        group, waiting = [], [int(free.argmax())]
        free[waiting] = False
        while waiting:
            at = waiting.pop()
            group.append(rules[at])
            touches = (left - _NEAR <= right[at]) & (right + _NEAR >= left[at])
            touches &= (bottom - _NEAR <= top[at]) & (top + _NEAR >= bottom[at]) & free
            waiting += np.flatnonzero(touches).tolist()
            free[touches] = False
        yield group


def _places(values: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Positions, ascending, with the length of the rules there; those near to each other are one."""
    places: list[tuple[float, float]] = []
    for at, length in sorted(values):
        if places and at - places[-1][0] <= _NEAR:
            places[-1] = (places[-1][0], places[-1][1] + length)
        else:
            places.append((at, length))
    return places


def _grid_at(grids: Sequence[_Grid], place: tuple[float, float]) -> int | None:
    x, y = place
    for number, grid in enumerate(grids):
        if grid.columns[0] <= x <= grid.columns[-1] and grid.rows[-1] <= y <= grid.rows[0]:
            return number
    return None


def _filled(grid: _Grid, glyphs: Sequence[Glyph]) -> list[Line | Table]:
    """The table with its characters in their cells, without empty rows; its lines where only one column has text."""
    places = list(_slots(grid, glyphs))
    merged = set(_merged(grid, glyphs, places))
    inside: dict[tuple[int, int], list[Glyph]] = {}
    for glyph, (row, column) in zip(glyphs, places, strict=True):
        while (row, column) in merged:
            column -= 1
        inside.setdefault((row, column), []).append(glyph)
    texts = {at: tidy("\n".join(map(_text, _by_line(these)))) for at, these in inside.items()}
    used = sorted({column for (_, column), text in texts.items() if text})
    if len(used) < 2:
        return list(_lines(glyphs))
    rows, styles = [], []
    for row in range(len(grid.rows) - 1):
        cells: list[Cell] = []
        for column in used:
            if cells and (row, column) in merged:
                cells[-1] = replace(cells[-1], columns=cells[-1].columns + 1)
            else:
                cells.append(Cell(texts.get((row, column), "")))
        if any(cell.text for cell in cells):
            rows.append(tuple(cells))
            seen = [g for column in used for g in inside.get((row, column), []) if g.box is not None]
            styles.append(Counter(glyph.style for glyph in seen).most_common(1)[0][0])
    box = Box(grid.columns[0], grid.rows[-1], grid.columns[-1], grid.rows[0])
    return [Table(tuple(rows), tuple(styles), tuple(grid.columns[column] for column in used), box)]


def _slots(grid: _Grid, glyphs: Iterable[Glyph]) -> Iterator[tuple[int, int]]:
    """Row and column of each character; white space stands where the character before it does."""
    row = column = 0
    for glyph in glyphs:
        if glyph.box is not None:
            x, y = glyph.box.middle
            row = sum(y < at for at in grid.rows[1:-1])
            column = sum(x > at for at in grid.columns[1:-1])
        yield row, column


def _merged(
    grid: _Grid, glyphs: Sequence[Glyph], places: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """The slots that are one cell with the slot before: no rule is drawn between them, and words run over the place."""
    seen = [(glyph, place) for glyph, place in zip(glyphs, places, strict=True) if glyph.box is not None]
    for (one, (row, left)), (two, (other, right)) in pairwise(seen):
        if row == other and left < right and one.box and two.box:
            gap = two.box.left - one.box.right
            if gap < _WORD_GAP * max(one.size, two.size):
                yield from ((row, at) for at in range(left + 1, right + 1) if (row, at) in grid.open)
