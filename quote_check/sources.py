"""What marks stand for: footnotes, link definitions and lists of sources of an answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from quote_check.marks import marks_in
from retriever.types import Span

_DEFINITION = re.compile(r" {0,3}\[(?P<note>\^?)(?P<name>[^\]\[\s]{1,60})\]:[ \t]*(?P<text>.*)")
_HEADING = re.compile(
    r"\s{0,3}(?:#{1,6}\s*)?(?:\*\*|__)?"
    r"(?:sources?|references?|citations?|bibliography|works cited|footnotes|end ?notes)"
    r"(?P<colon>:?)(?:\*\*|__)?(?P<after>:?)[ \t]*(?P<text>.*)",
    re.IGNORECASE,
)
_ENTRY = re.compile(
    r"\s*(?:[-*+•]\s+)?(?:\[\^?(?P<bracket>\d{1,4})\]|【(?P<lenticular>\d{1,4})】|(?P<plain>\d{1,4})[.)])(?:\([^)\s]*\))?"
    r"[:.]?[ \t]*(?P<text>.*)"
)
_BULLET = re.compile(r"\s*[-*+•]\s+(?P<text>.*)")


@dataclass(frozen=True, slots=True)
class Sources:
    """What an answer says of its sources. ``said``: by the mark's name, what it says the source is.

    ``notes``: footnotes, whose quotes count, by name. ``spans``: the lines that say it, which claim nothing.
    """

    said: Mapping[str, str]
    notes: Mapping[str, Span]
    spans: tuple[Span, ...]


def sources_of(text: str) -> Sources:
    """The footnotes, link definitions and lists of sources of an answer."""
    said: dict[str, str] = {}
    notes: dict[str, Span] = {}
    spans: list[Span] = []
    at, listed, unnumbered = 0, False, 0
    for line in text.splitlines(keepends=True):
        bare = line.rstrip("\r\n")
        span = Span(at, at + len(line))
        at += len(line)
        if (definition := _DEFINITION.match(bare)) is not None:
            said.setdefault(definition["name"], definition["text"])
            spans.append(span)
            if definition["note"] and definition["text"]:
                first = span.start + definition.start("text")
                notes.setdefault(definition["name"], Span(first, span.start + len(bare)))
        elif (heading := _HEADING.fullmatch(bare)) is not None and _heads(heading):
            listed, unnumbered = True, 0
            spans.append(span)
            said |= {name: of for name, of in _inline(heading["text"]).items() if name not in said}
        elif listed and (entry := _ENTRY.match(bare)) is not None:
            said.setdefault(entry["bracket"] or entry["lenticular"] or entry["plain"], entry["text"] or bare)
            spans.append(span)
        elif listed and (bullet := _BULLET.match(bare)) is not None:
            unnumbered += 1
            said.setdefault(str(unnumbered), bullet["text"])
            spans.append(span)
        elif bare.strip():
            listed = False
    return Sources(said, notes, tuple(spans))


def _heads(heading: re.Match[str]) -> bool:
    """Whether a line that begins with such a word heads a list: nothing follows, or a colon and then marks."""
    return not heading["text"] or bool(heading["colon"] or heading["after"])


def _inline(text: str) -> dict[str, str]:
    """``[1] Eiffel Tower, [2] Paris`` of one line."""
    marks = list(marks_in(text))
    ends = [*(mark.span.start for mark in marks), len(text)][1:]
    return {
        name: text[mark.span.end : end].strip(" ,;.:")
        for mark, end in zip(marks, ends, strict=True)
        for name in mark.names
    }
