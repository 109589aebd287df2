"""Evidence: how likely a sentence, step or row is among what answers, as a reader has it."""

from collections.abc import Sequence
from dataclasses import replace

from app.answering.types import BroadReading, ScoredSpan
from retriever.text.units import units_within
from retriever.types import BlockKind, Document, Span


def likelihood(unit: Span, evidence: Sequence[ScoredSpan]) -> float:
    """0-1: that of the likeliest evidence that the unit touches; 0 where it touches none.

    A reader tells of the units of a window's plain text, which need not be those of the document's blocks.
    """
    return max((scored.score for scored in evidence if scored.span.touches(unit)), default=0.0)


def telling(broad: BroadReading, document: Document, window: Span) -> BroadReading:
    """The reading of a window without evidence that tells nothing: headings of the document, and questions.

    As it was where nothing else is evidence.
    """
    headings = [unit.span for unit in units_within(document, window) if unit.kind is BlockKind.HEADING]
    kept = tuple(
        scored
        for scored in broad.evidence
        if not scored.span.of(document.text).endswith("?")
        and not any(
            heading.start <= scored.span.start and scored.span.end <= heading.end for heading in headings
        )
    )
    return replace(broad, evidence=kept) if kept else broad
