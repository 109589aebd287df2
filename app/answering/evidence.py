"""Evidence: how likely a sentence, step or row is among what answers, as a reader has it."""

from collections.abc import Sequence

from app.answering.types import ScoredSpan
from retriever.types import Span


def likelihood(unit: Span, evidence: Sequence[ScoredSpan]) -> float:
    """0-1: that of the likeliest evidence that the unit touches; 0 where it touches none.

    A reader tells of the units of a window's plain text, which need not be those of the document's blocks.
    """
    return max((scored.score for scored in evidence if scored.span.touches(unit)), default=0.0)
