"""What marks stand for: footnotes, link definitions and lists of sources of an answer."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from common.lines import lines_with_ends
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
_CONTINUED = re.compile(r"(?:\t| {2,})\s*\S")


@dataclass(frozen=True, slots=True)
class Sources:
    """What an answer says of its sources. ``said``: by the mark's name, what it says the source is.

    ``notes``: footnotes, whose quotes count, by name. ``spans``: the lines that say it, which claim nothing. Indented
    lines that continue one are of it.
    """

    said: Mapping[str, str]
    notes: Mapping[str, Span]
    spans: tuple[Span, ...]


def sources_of(text: str) -> Sources:
    """The footnotes, link definitions and lists of sources of an answer."""
    said: dict[str, str] = {}
    notes: dict[str, Span] = {}
    spans: list[Span] = []
    listed, unnumbered = False, 0
    for span in _entries(text):
        bare = span.of(text).rstrip("\r\n")
        if (definition := _DEFINITION.match(bare)) is not None:
            of = _from_text(definition)
            said.setdefault(definition["name"], of)
            spans.append(span)
            if definition["note"] and of:
                first = span.start + definition.start("text")
                notes.setdefault(definition["name"], Span(first, span.start + len(bare)))
        elif (heading := _HEADING.fullmatch(bare)) is not None and _heads(heading):
            listed, unnumbered = True, 0
            spans.append(span)
            said |= {name: of for name, of in _inline(heading["text"]).items() if name not in said}
        elif listed and (entry := _ENTRY.match(bare)) is not None:
            name = entry["bracket"] or entry["lenticular"] or entry["plain"]
            said.setdefault(name, _from_text(entry) or bare)
            spans.append(span)
        elif listed and (bullet := _BULLET.match(bare)) is not None:
            unnumbered += 1
            said.setdefault(str(unnumbered), _from_text(bullet))
            spans.append(span)
        elif bare.strip():
            listed = False
    return Sources(said, notes, tuple(spans))


def _entries(text: str) -> Iterator[Span]:
    """The lines of a text, those that may say a source with the indented ones that continue them."""
    start, at, goes_on = 0, 0, False
    for line in lines_with_ends(text):
        begins = any(form.match(line) for form in (_DEFINITION, _ENTRY, _BULLET))
        if begins or not (goes_on and _CONTINUED.match(line)):
            if at > start:
                yield Span(start, at)
            start, goes_on = at, begins
        at += len(line)
    if at > start:
        yield Span(start, at)


def _from_text(entry: re.Match[str]) -> str:
    """What an entry says from its text on, on one line."""
    return " ".join(entry.string[entry.start("text") :].split())


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
