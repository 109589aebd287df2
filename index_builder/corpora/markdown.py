"""Markdown: a ``.md`` file is one document, kept character for character; its first heading is its title."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt

from index_builder.corpora.text import text_document
from index_builder.corpora.types import Malformed, Record

_FRONT_MATTER_ENDS = ("---", "...")
_SEARCHED = 100_000  # characters; parsing all of a long file takes seconds, and a title stands at the top
_BLOCKS = MarkdownIt("commonmark").disable(
    "inline"
)  # what is emphasised or linked inside a heading stays as written


def read_markdown(path: Path, name: str) -> Iterator[Record | Malformed]:
    """The file as one document called ``name``, or why it cannot be one."""
    yield text_document(path, name, first_heading)


def first_heading(text: str) -> str | None:
    """The text of the first heading, ``# so`` or underlined; None when there is none.

    A heading in a quotation, a list, fenced code or the settings at the top (front matter) is passed over, and so
    is one without any letter or digit. Only the first 100,000 characters are searched.
    """
    tokens = _BLOCKS.parse(_without_front_matter(_beginning(text)))
    for token, content in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and any(map(str.isalnum, content.content)):
            return " ".join(content.content.split())
    return None


def _beginning(text: str) -> str:
    """The whole lines among the characters that are searched."""
    if len(text) <= _SEARCHED:
        return text
    return text[: text.rfind("\n", 0, _SEARCHED) + 1] or text[:_SEARCHED]


def _without_front_matter(text: str) -> str:
    """The text below the settings at the top: lines between ``---`` and another ``---`` or ``...``."""
    lines = text.splitlines(keepends=True)
    if not lines or lines[0].rstrip() != "---":
        return text
    ends = (number for number, line in enumerate(lines[1:], start=2) if line.rstrip() in _FRONT_MATTER_ENDS)
    return "".join(lines[next(ends, 0) :])
