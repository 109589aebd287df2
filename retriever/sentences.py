"""Sentences as spans of their text: in order, disjoint, trimmed, with only whitespace between them.

Line structure is read here (paragraphs, headings, list items, table rows, deliberate line breaks); inside
such a block the ``sentencex`` library finds the boundaries. It is given a stand-in of equal length, in which
every whitespace character is a plain space: it cannot take some of the others. It is also given at most
``WINDOW`` characters at a time, because its time grows with the square of the text's length.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from sentencex import segment

from retriever.types import Span

WINDOW = 2048
"""Characters that the sentence library sees at a time; a sentence may be longer."""

_LANGUAGE = "en"
_ODD_CHARACTER = re.compile(r"[^\S ]|[\ud800-\udfff]")
_PLAIN_BOUNDARY = re.compile(r"[.!?…]['\")\]’”]*\s+|[。！？]")
_OWN_LINE = re.compile(r"#{1,6}\s|[-=*_~]{3,}$|```|~~~|\|")
_LIST_ITEM = re.compile(r"\s*(?:[-*+•‣◦]|\d{1,3}[.)]|\(?(?:\d{1,3}|[a-z])\))\s+")
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
    for start, end in _blocks(text):
        marker = match.end() if (match := _LIST_ITEM.match(text, start, end)) else start
        for boundary in (*_boundaries_within(text, start, end), end):
            if boundary == end or (boundary > marker and not splits_character(text, boundary)):
                yield boundary


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Runs of lines that no sentence leaves, as offsets; together they are the whole text."""
    start = position = 0
    for lines in _paragraphs(text):
        contents = [line.strip() for line in lines]
        width = max(map(len, contents))
        for line, (content, following) in zip(lines, pairwise([*contents, ""]), strict=True):
            position += len(line)
            if content and (not following or _breaks(content, following, width)):
                yield start, position
                start = position
    if start < len(text):
        yield start, len(text)


def _paragraphs(text: str) -> Iterator[list[str]]:
    """Lines with their line ends, grouped so that each group ends before the line after a blank one."""
    lines: list[str] = []
    blank = False
    for line in text.splitlines(keepends=True):
        if blank and not line.isspace():
            yield lines
            lines = []
        blank = line.isspace()
        lines.append(line)
    if lines:
        yield lines


def _breaks(line: str, following: str, width: int) -> bool:
    """Whether the line break between two lines of a paragraph ends a sentence.

    It does beside a heading, rule or table row, before a list item, and where the following line's first
    word would have fitted on a line of ``width`` characters, unless that word goes on in lower case.
    """
    if _OWN_LINE.match(line) or _OWN_LINE.match(following) or _LIST_ITEM.match(following):
        return True
    room = width - len(line) - 1
    return room >= len(following.split(maxsplit=1)[0]) and not following[0].islower()


def _boundaries_within(text: str, start: int, end: int) -> Iterator[int]:
    """Sentence boundaries strictly between ``start`` and ``end``, found window by window.

    The last sentence of a full window may be cut short by the window, so the next window starts with it.
    """
    while end - start > WINDOW:
        *sentences, rest = _segments(text[start : start + WINDOW])
        if not sentences:
            start += len(rest) - len(_last_word(rest))
        for sentence in sentences:
            start += len(sentence)
            yield start
    for sentence in _segments(text[start:end])[:-1]:
        start += len(sentence)
        yield start


def _last_word(window: str) -> str:
    """What follows the last space of ``window``; empty when it has none, or none in its second half."""
    space = window.rfind(" ", len(window) // 2)
    return "" if space < 0 else window[space + 1 :]


def _segments(block: str) -> list[str]:
    """``block`` in sentences, whitespace made spaces; at least one, equal in total length."""
    plain = _ODD_CHARACTER.sub(" ", block)
    sentences = _library_segments(plain)
    if "".join(sentences) != plain or not sentences:
        sentences = _plain_segments(plain)
    return sentences


def _library_segments(plain: str) -> list[str]:
    """What the library finds; nothing when it fails inside, which it reports outside of ``Exception``."""
    try:
        return list(segment(_LANGUAGE, plain))
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        return []


def _plain_segments(plain: str) -> list[str]:
    """Sentences by their closing marks alone: what is used where the library loses characters or fails."""
    ends = [match.end() for match in _PLAIN_BOUNDARY.finditer(plain)]
    return [plain[start:end] for start, end in pairwise([0, *ends, len(plain)]) if start < end] or [plain]
