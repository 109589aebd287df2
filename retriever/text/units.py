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


def units_within(document: Document, window: Span) -> list[Unit]:
    """What can be quoted of the document within ``window``, in order; the window cuts what it does not hold whole.

    The numbers of blocks are those of the document, or of a plain text's runs of lines counted from the window's start.
    """
    if not document.blocks:
        blocks = enumerate(
            Block(block.kind, block.span.shifted(window.start))
            for block in plain_blocks(window.of(document.text))
        )
        return [
            Unit(span, block.kind, number)
            for number, block in blocks
            for span in _quotable(document.text, block)
        ]
    found: list[Unit] = []
    first = max(0, bisect_right(document.blocks, window.start, key=lambda block: block.span.start) - 1)
    for number, block in enumerate(document.blocks[first:], start=first):
        if block.span.start >= window.end:
            break
        start, end = max(block.span.start, window.start), min(block.span.end, window.end)
        within = trimmed(document.text, start, end) if start < end else None
        if within is not None:
            spans = _quotable(document.text, Block(block.kind, within))
            found += [Unit(span, block.kind, number, block.path) for span in spans]
    return found


def quotable_spans(document: Document, window: Span, *, headings: bool = True) -> list[Span]:
    """The spans of ``units_within``. ``headings``: whether those that blocks tell are among them."""
    every = headings or not document.blocks
    return [
        unit.span for unit in units_within(document, window) if every or unit.kind is not BlockKind.HEADING
    ]


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
