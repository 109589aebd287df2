"""The lines of a text as editors and Markdown count them: Python and docutils end lines at more characters."""

import re

LINE_END = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_NO_LINE_ENDS = str.maketrans(dict.fromkeys("\v\f\x1c\x1d\x1e\x85\u2028\u2029", " "))


def lines_of(text: str) -> list[str]:
    """The lines, without their ends; no empty one after the last end."""
    lines = LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]


def lines_with_ends(text: str) -> list[str]:
    """The lines as they stand, each with its end: a line feed, a carriage return or both."""
    return _LINE.findall(text)


def with_plain_lines(text: str) -> str:
    """The text with spaces for the characters that end lines for Python, but not for an editor."""
    return text.translate(_NO_LINE_ENDS)
