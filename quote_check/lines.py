"""Lines as Markdown, editors and code hosts count them."""

import re

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def lines_of(text: str) -> list[str]:
    """The lines with their ends: a line feed, a carriage return or both. No other character ends one, as U+2028."""
    return _LINE.findall(text)
