"""What a reader found, as an answer."""

import math

from app.answering.types import Candidate, CandidateSource, Reading
from retriever.types import Span

_LEAST = 1e-9  # keeps the logarithm finite


def found_candidate(
    reading: Reading, answer: str, source: CandidateSource, pointer: Span, probability: float
) -> Candidate:
    """The answer from this reading's passage. ``pointer``: where it was found, in characters of the document.

    ``probability``: 0-1, of the whole answer.
    """
    return Candidate(
        answer=answer,
        passage=reading.hit.passage,
        source=source,
        logprob=math.log(max(probability, _LEAST)),
        tokens=1,
        pointer=pointer,
    )
