"""Runs of lines that no sentence leaves: what of a plain text's line structure is meant, and what is only wrapped.

A heading, a list item, a table row, a ``Key: value`` line and a deliberately short line each are a run of their own.
Lines that were merely full belong to the run before them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from retriever.text.abbreviations import BEFORE_ANYTHING, BEFORE_NUMBER, LOWER_CASE, UNITS
from retriever.types import BlockKind

NARROWEST_WRAP = 40
"""No one wraps prose at fewer characters: lines of a paragraph that is narrower end where they were meant to."""

_HEADING = re.compile(r"#{1,6}\s")
_RULE = re.compile(r"[-=*_~]{3,}$|```|~~~")
_UNDERLINE = re.compile(r"(?:=|-){3,}$")
_ROW = re.compile(r"\|")
_BULLET = re.compile(r"(?:[-*+•‣◦]|#\.)\s+")
_NUMBERED = re.compile(
    r"(?:\d{1,3}\.|\(?(?:\d{1,3}|[A-Za-z]|[ivx]{1,5}|[IVX]{1,5})\)|\[(?:\d{1,3}|[A-Za-z])\])\s+"
)
_LETTERED = re.compile(r"(?:[A-Za-z]|[ivx]{1,5}|[IVX]{1,5})\.\s+")
_CHAPTER = re.compile(r"[IVXLC]{2,6}\.\s+")
_FIELD = re.compile(r"(?:\*\*)?[^\W\d_][^\n:*|]{0,39}:(?:\*\*)?\s+\S")
_STAMP = re.compile(r"\d{4}-\d\d-\d\d|\d\d?:\d\d")
_STOPPED = re.compile(r"[.!?…:;。！？][\"'”’)\]*_`]*$")
_UNFINISHED = re.compile(
    r"(?:,|\b(?:a|an|and|as|at|between|but|by|for|from|in|into|is|its|of|on|or|than|that|the|their|to|under|was|were"
    r"|which|with|Dr|Mr|Mrs|Ms|Prof|St))\.?$"
)


@dataclass(frozen=True, slots=True)
class LineRun:
    """Characters ``[start, end)`` of a text, whole lines with their line ends.

    ``body``: where what is said begins, after a list marker. ``kind``: a paragraph is prose, of sentences.
    """

    start: int
    end: int
    body: int
    kind: BlockKind


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a paragraph, stripped, with what it looks like. ``marker``: length of its list marker, or 0."""

    text: str
    indented: bool
    marker: int
    bullet: bool
    field: bool

    @property
    def own(self) -> bool:
        """Whether it stands alone: a heading, a rule, a table row."""
        return any(pattern.match(self.text) for pattern in (_HEADING, _RULE, _ROW))

    @property
    def kind(self) -> BlockKind:
        """What a run is that begins with this line."""
        if _HEADING.match(self.text):
            return BlockKind.HEADING
        if _ROW.match(self.text):
            return BlockKind.ROW
        if self.field:
            return BlockKind.FIELD
        return BlockKind.ITEM if self.marker else BlockKind.PARAGRAPH


def line_runs(text: str) -> Iterator[LineRun]:
    """The runs of a text, in order; together they are the whole text. Blank lines begin the run after them."""
    start = 0
    for position, raw in _paragraphs(text):
        lines = _lines(raw)
        width = _width(lines)
        first = 0
        for number, line in enumerate(lines):
            position += len(raw[number])
            if _ends_run(lines, number, first, width):
                underlined = number > first and _UNDERLINE.match(line.text)
                kind = BlockKind.HEADING if underlined else lines[first].kind
                yield _run(text, start, position, lines[first], kind)
                start, first = position, number + 1
    if start < len(text):
        yield LineRun(start, len(text), start, BlockKind.PARAGRAPH)


def _run(text: str, start: int, end: int, first: _Line, kind: BlockKind) -> LineRun:
    begin = start + len(text[start:end]) - len(text[start:end].lstrip())
    marker = first.marker or (match.end() if (match := _CHAPTER.match(first.text)) else 0)
    return LineRun(start, end, begin + marker, kind)


def _paragraphs(text: str) -> Iterator[tuple[int, list[str]]]:
    """Where each paragraph begins, and its lines with their line ends: those between blank lines."""
    position = 0
    for blank, group in groupby(text.splitlines(keepends=True), str.isspace):
        lines = list(group)
        if not blank:
            yield position, lines
        position += sum(map(len, lines))


def _lines(raw: Sequence[str]) -> list[_Line]:
    """The lines of a paragraph with what they look like beside each other."""
    texts = [line.strip() for line in raw]
    lettered = sum(bool(_LETTERED.match(text)) for text in texts) > 1 and bool(_LETTERED.match(texts[0]))
    fields = [bool(_FIELD.match(text)) for text in texts]
    beside = [before or after for before, after in zip([False, *fields], [*fields[1:], False], strict=False)]
    return [
        _Line(
            text,
            indented=line[:1].isspace(),
            marker=_marker(text, lettered=lettered),
            bullet=bool(_BULLET.match(text)),
            field=field and near,
        )
        for line, text, field, near in zip(raw, texts, fields, beside, strict=True)
    ]


def _marker(text: str, *, lettered: bool) -> int:
    match = _BULLET.match(text) or _NUMBERED.match(text) or (_LETTERED.match(text) if lettered else None)
    return match.end() if match else 0


def _ends_run(lines: Sequence[_Line], number: int, first: int, width: int | None) -> bool:
    """Whether the line break after this line of a paragraph ends a run whose first line is ``first``."""
    line = lines[number]
    if number + 1 == len(lines):
        return True
    following = lines[number + 1]
    if _UNDERLINE.match(following.text) and number == first and not (line.own or line.field or line.marker):
        return False
    if line.own or _UNDERLINE.match(line.text) or following.own or following.field:
        return True
    if following.marker and (
        following.bullet or lines[first].marker or not _is_wrapped(line.text, following.text, width)
    ):
        return True
    if lines[first].marker and following.indented:
        return False  # a list item goes on
    return not _goes_on(line.text, following.text, width)


def _width(lines: Sequence[_Line]) -> int | None:
    """How many characters wide the paragraph's lines are; None where they are not wrapped.

    They are where two of them were full, or where one was and the last line ends a sentence: of a list, the longest
    line seems full, too.
    """
    texts = [line.text for line in lines]
    width = max(map(len, texts))
    if width < NARROWEST_WRAP:
        return None
    full = sum(_is_full(line, following, width) for line, following in pairwise(texts))
    return width if full > 1 or _STOPPED.search(texts[-1]) else None


def _is_full(line: str, following: str, width: int | None) -> bool:
    """Whether the next line's first word had no room in the line."""
    return width is not None and width - len(line) - 1 < len(following.split(maxsplit=1)[0])


def _is_wrapped(line: str, following: str, width: int | None) -> bool:
    """Whether a line ended amid a sentence, because it was full."""
    return _is_full(line, following, width) and not _STOPPED.search(line)


def _goes_on(line: str, following: str, width: int | None) -> bool:
    """Whether a sentence may run from one line to the next: the line was full, or the next is no beginning."""
    if _STAMP.match(line) and _STAMP.match(following):
        return False  # entries of a log
    if following[0] in "([":
        return line[0] != following[0] and (not _STOPPED.search(line) or _is_abbreviated(line))
    if following[0].islower() or _UNFINISHED.search(line[-12:]):
        return True
    if following[0] == "`" and not _STOPPED.search(line):
        return True
    return _is_full(line, following, width)


def _is_abbreviated(line: str) -> bool:
    """Whether the full stop that ends the line may be that of an abbreviation: "et al.", "Fig.", "12 ft."."""
    word = line.rsplit(maxsplit=1)[-1].removesuffix(".").lstrip("([\"'“‘")
    return word.lower() in BEFORE_ANYTHING | LOWER_CASE or word in BEFORE_NUMBER | UNITS
