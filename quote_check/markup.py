"""Markup of an answer: what a reader does not see is hidden, and a quote is read as it is shown."""

import html
import re
from collections.abc import Iterator

from common.lines import lines_with_ends

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_HIDDEN = re.compile(
    r"(?P<code>(?<![`\\])(?P<ticks>`{1,8})(?!`)(?:(?!\n[ \t]*\r?\n)[\s\S]){1,500}?(?<!`)(?P=ticks)(?!`))"
    r"|\]\((?P<link>[^()\n]{1,2000})\)"
    r"|(?P<tag>(?<!\\)</?(?!q\b|blockquote\b)[A-Za-z][^<>\n]{0,500}>)"
)
_LINK = re.compile(r"(?<!\\)!?\[([^\[\]\n]{1,500})\]\([^()\n]{1,2000}\)")
_TAG = re.compile(
    r"(?<!\\)</?(?:(?P<parts>(?:br|div|h[1-6]|hr|li|p|td|th|tr)\b)|[A-Za-z])[^<>\n]{0,500}>", re.IGNORECASE
)
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_STRONG = re.compile(r"(?<![\\*])\*{1,3}(?=\S)([^*\n]{1,2000}?)(?<=\S)\*{1,3}(?!\*)")
# within a word an underscore marks nothing, as in max_waiting
_UNDERSCORED = re.compile(r"(?<![\w\\])(_{1,3})(?=\S)([^_\n]{1,2000})(?<=\S)\1(?!\w)")
_STRUCK = re.compile(r"(?<![\w\\~])~~(?=\S)([^~\n]{1,2000})(?<=\S)~~(?![\w~])")
_NOT_A_LINE_END = re.compile(r"[^\r\n]")


def hidden(text: str) -> str:
    """The text with blanks for code, comments, tags and the addresses of links: as long, and lines where they were.

    The tags ``<q>`` and ``<blockquote>`` stay.
    """
    pieces, at = [], 0
    for start, end in _hidden_spans(text):
        if start >= at:
            pieces += [text[at:start], _NOT_A_LINE_END.sub(" ", text[start:end])]
            at = end
    return "".join([*pieces, text[at:]])


def as_read(text: str) -> str:
    """What a reader sees of a piece of the answer: without emphasis, tags, addresses and escapes, entities resolved."""
    shown = _TAG.sub(lambda tag: "\n" if tag["parts"] else "", _LINK.sub(r"\1", text))
    bare = _STRUCK.sub(r"\1", _UNDERSCORED.sub(r"\2", _STRONG.sub(r"\1", shown)))
    pieces = _ESCAPE.split(bare)  # every second one is a character that was escaped
    return "".join(piece if place % 2 else html.unescape(piece) for place, piece in enumerate(pieces)).strip()


def _hidden_spans(text: str) -> list[tuple[int, int]]:
    spans = [*_fenced(text), *_comments(text)]
    for match in _HIDDEN.finditer(text):
        spans.append(match.span("link") if match["link"] else match.span())
    return sorted(spans)


def _fenced(text: str) -> Iterator[tuple[int, int]]:
    """Blocks of code between fences, the fences too; one that is not closed goes to the end."""
    opened, fence, at = -1, "", 0
    for line in lines_with_ends(text):
        match = _FENCE.match(line)
        if match and opened < 0:
            opened, fence = at, match[1]
        elif match and match[1].startswith(fence) and not line.strip(" `~\r\n"):
            yield opened, at + len(line)
            opened = -1
        at += len(line)
    if opened >= 0:
        yield opened, len(text)


def _comments(text: str) -> Iterator[tuple[int, int]]:
    start = text.find("<!--")
    while start >= 0:
        end = text.find("-->", start)
        if end < 0:
            return
        yield start, end + 3
        start = text.find("<!--", end)
