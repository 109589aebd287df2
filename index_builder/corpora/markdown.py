"""Markdown, as far as a document's title needs it."""

import re
from collections.abc import Iterator
from itertools import pairwise

_HEADING = re.compile(r" {0,3}#{1,6}[ \t]")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})[ \t]*$")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_FRONT_MATTER_ENDS = ("---", "...")


def first_heading(text: str) -> str | None:
    """The text of the first heading, ``# so`` or underlined; None when there is none.

    What stands in fenced code or in a block of settings at the top is no heading.
    """
    for line, following in pairwise([*_prose_lines(text.splitlines()), ""]):
        if heading := _heading(line):
            return heading
        if line.strip() and _UNDERLINE.match(following) and not _UNDERLINE.match(line):
            return line.strip()
    return None


def _heading(line: str) -> str:
    """The text after ``#`` marks, without those that may close it; empty when the line is no heading."""
    if not (match := _HEADING.match(line)):
        return ""
    heading = line[match.end() :].strip()
    unclosed = heading.rstrip("#")
    return heading if unclosed and unclosed == unclosed.rstrip() else unclosed.rstrip()


def _prose_lines(lines: list[str]) -> Iterator[str]:
    """The lines outside of front matter; each fenced block is one empty line."""
    fence = ""
    for line in lines[_front_matter_lines(lines) :]:
        mark = match[1] if (match := _FENCE.match(line)) else ""
        if not fence and not mark:
            yield line
        elif not fence:
            fence = mark
            yield ""
        elif mark.startswith(fence):
            fence = ""


def _front_matter_lines(lines: list[str]) -> int:
    """How many lines the settings at the top take, their rules included; 0 when there are none."""
    if not lines or lines[0].rstrip() != "---":
        return 0
    ends = (n for n, line in enumerate(lines[1:], start=2) if line.rstrip() in _FRONT_MATTER_ENDS)
    return next(ends, 0)
