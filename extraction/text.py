"""Plain text: a ``.txt`` file is one document, kept character for character; its paragraphs are blocks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from common.lines import LINE_END
from extraction.encodings import decoded
from extraction.extracted import Extracted
from retriever.types import Block, BlockKind, Locator, Span


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text as it is; its blocks are runs of lines with blank lines around them."""

    text: str

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The paragraphs, each with the line that it begins in."""
        blocks: list[Block] = []
        line, at = 1, 0
        for start, end in _paragraphs(self.text):
            line += len(LINE_END.findall(self.text, at, start))
            at = start
            blocks.append(Block(BlockKind.PARAGRAPH, Span(start, end), locator=Locator.line(line)))
        return tuple(blocks)


_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")


def extract_text(content: bytes) -> Extracted:
    """The text, character for character; it says no title."""
    return Extracted(PlainText(decoded(content)))


def _paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each run of lines with something to see, without white space at its ends."""
    first = last = None  # of the paragraph: its first character, and the one after its last
    at = 0
    for line in _LINE.findall(text):
        if seen := line.strip():
            start = at + line.index(seen)
            first, last = start if first is None else first, start + len(seen)
        elif first is not None and last is not None:
            yield first, last
            first = last = None
        at += len(line)
    if first is not None and last is not None:
        yield first, last
