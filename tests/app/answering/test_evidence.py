"""Evidence: what of a passage can be among what answers."""

import pytest

from app.answering.evidence import telling
from app.answering.types import BroadReading, ScoredSpan
from retriever.types import Block, BlockKind, Document, Span

LINES = ("Leaks", "Can I report a leak myself?", "Call the office.", "The office is red.")
TEXT = "\n\n".join(LINES)
SPANS = [Span(TEXT.index(line), TEXT.index(line) + len(line)) for line in LINES]
KINDS = (BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.PARAGRAPH, BlockKind.PARAGRAPH)
BLOCKS = tuple(Block(kind, span) for kind, span in zip(KINDS, SPANS, strict=True))


@pytest.mark.parametrize(
    ("blocks", "read", "kept"),
    [
        (BLOCKS, (0, 1, 2, 3), (2, 3)),
        ((), (0, 1, 2), (0, 2)),
        (BLOCKS, (0, 1), (0, 1)),
    ],
    ids=["headings and questions go", "a plain text has no headings", "where nothing else is left they stay"],
)
def test_evidence_tells_something(blocks, read, kept):
    broad = BroadReading({}, 0.5, tuple(ScoredSpan(SPANS[number], 0.9 - number / 10) for number in read))
    found = telling(broad, Document("leaks", "Leaks", TEXT, blocks=blocks), Span(0, len(TEXT)))
    assert [SPANS.index(scored.span) for scored in found.evidence] == list(kept)
    assert found.evidence == tuple(broad.evidence[read.index(number)] for number in kept)
