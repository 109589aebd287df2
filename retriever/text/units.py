"""Units: what a person would quote of a document, and what passages are made of.

A unit is a sentence of a paragraph, or a whole heading, list item, table row, field or line of code. It never crosses
the border of a block. In plain text, which has no blocks, the lines tell what is what (see ``line_runs``).
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from retriever.text.line_runs import line_runs
from retriever.text.sentences import sentence_spans, trimmed
from retriever.types import Block, BlockKind, Document, Span


@dataclass(frozen=True, slots=True)
class Unit:
    """Characters of a document's text with what they are, and the headings that they stand under.

    ``number``: of its block, or of its run of lines, counted from 0.
    """

    span: Span
    kind: BlockKind
    number: int
    path: tuple[str, ...] = ()


def units(document: Document) -> Iterator[Unit]:
    """The units of a document, in order; between them stands nothing but whitespace."""
    blocks = document.blocks or plain_blocks(document.text)
    for number, block in enumerate(blocks):
        for span in _quotable(document.text, block):
            yield Unit(span, block.kind, number, block.path)


def quotable_spans(document: Document, window: Span, *, headings: bool = True) -> list[Span]:
    """What can be quoted of the document within ``window``, in order; the window cuts what it does not hold whole.

    ``headings``: whether those that blocks tell are among them.
    """
    if not document.blocks:
        return [span.shifted(window.start) for span in quotable_spans_of(window.of(document.text))]
    spans: list[Span] = []
    first = max(0, bisect_right(document.blocks, window.start, key=lambda block: block.span.start) - 1)
    for block in document.blocks[first:]:
        if block.span.start >= window.end:
            break
        start, end = max(block.span.start, window.start), min(block.span.end, window.end)
        within = trimmed(document.text, start, end) if start < end else None
        if within is not None and (headings or block.kind is not BlockKind.HEADING):
            spans += _quotable(document.text, Block(block.kind, within))
    return spans


def quotable_spans_of(text: str) -> list[Span]:
    """What can be quoted of a plain text, in order."""
    return [span for block in plain_blocks(text) for span in _quotable(text, block)]


def plain_blocks(text: str) -> Sequence[Block]:
    """A plain text as blocks by its lines, without headings above them."""
    trimmed_runs = ((run.kind, trimmed(text, run.start, run.end)) for run in line_runs(text))
    return [Block(kind, span) for kind, span in trimmed_runs if span is not None]


def _quotable(text: str, block: Block) -> list[Span]:
    match block.kind:
        case BlockKind.PARAGRAPH:
            return [span.shifted(block.span.start) for span in sentence_spans(block.span.of(text))]
        case BlockKind.CODE:
            return _lines(text, block.span)
        case _:
            return [block.span]


def _lines(text: str, span: Span) -> list[Span]:
    """The lines that are not blank, each without the white space around it."""
    spans: list[Span] = []
    start = span.start
    for line in span.of(text).splitlines(keepends=True):
        within = trimmed(text, start, start + len(line))
        if within is not None:
            spans.append(within)
        start += len(line)
    return spans
