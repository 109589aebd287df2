"""Sentences as spans of their text: in order, disjoint, trimmed, with only whitespace between them.

Line structure is read first (see ``line_runs``); within a run of lines, ``sentence_ends`` finds the borders.
"""

import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from retriever.text.line_runs import line_runs
from retriever.text.sentence_ends import boundaries
from retriever.types import Span

_LINE_ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_FLAG_LETTERS_SEEN = 64
_ZERO_WIDTH_JOINER = "\u200d"


def sentence_spans(text: str) -> list[Span]:
    """The sentences of ``text``, trimmed and in order; between them stands nothing but whitespace.

    A sentence never runs across a blank line, a heading, the start of a list item or a table row. It may run
    across a line break where the line was merely full. Takes time in proportion to the text's length.
    """
    return [span for start, end in pairwise(_boundaries(text)) if (span := trimmed(text, start, end))]


def trimmed(text: str, start: int, end: int) -> Span | None:
    """The span ``[start, end)`` of ``text`` without its outer whitespace; None when nothing else is in it."""
    piece = text[start:end]
    end -= len(piece) - len(piece.rstrip())
    start += len(piece) - len(piece.lstrip())
    return Span(start, end) if start < end else None


def splits_character(text: str, position: int) -> bool:
    r"""Whether a cut before ``position`` would part what a reader sees as one character.

    Covers combining marks, joined emoji, skin tones, flags, Korean letters written as parts, and ``\r\n``.
    """
    if not 0 < position < len(text):
        return False
    before, after = text[position - 1], text[position]
    if after < "\u0300":
        return before == "\r" and after == "\n"
    if before in _LINE_ENDS or after.isspace():
        return False
    return before == _ZERO_WIDTH_JOINER or _extends(after) or _ends_flag(text, position)


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character).startswith("M")
        or character == _ZERO_WIDTH_JOINER
        or "\u1160" <= character <= "\u11ff"  # Korean vowels and final consonants
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags, as in the flag of Scotland
    )


def _ends_flag(text: str, position: int) -> bool:
    """Whether ``position`` is the second of two flag letters: an odd number of them stands before it."""
    if not _is_flag_letter(text[position]):
        return False
    before = text[max(0, position - _FLAG_LETTERS_SEEN) : position]
    others = len(before)
    while others and _is_flag_letter(before[others - 1]):
        others -= 1
    return (len(before) - others) % 2 == 1


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _boundaries(text: str) -> Iterator[int]:
    """Where sentences start, and the text's end: 0 first, ascending."""
    yield 0
    for run in line_runs(text):
        for boundary in (*boundaries(text, run.start, run.end), run.end):
            if boundary == run.end or (boundary > run.body and not splits_character(text, boundary)):
                yield boundary
