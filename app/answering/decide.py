"""Deciding: one answer with its citations, or an abstention with its reason."""

from collections.abc import Iterable, Sequence

from app.answering.normalise import normalise_answer
from app.answering.types import (
    AbstainReason,
    Abstention,
    Alternative,
    Candidate,
    Citation,
    CitedAnswer,
    CitedCandidate,
    Decision,
)
from retriever.types import Hit, Span

_NEAREST_SHOWN = 3


def decide(
    hits: Sequence[Hit],
    candidates: Sequence[Candidate],
    cited: Sequence[CitedCandidate],
    nearest: Sequence[Citation],
    *,
    min_confidence: float,
) -> Decision:
    """The most confident answer, with the others as alternatives; or why there is none.

    Candidates that normalise to the same answer are one answer: its most confident form stands for it.
    ``nearest``: the best quotes found without an answer, shown when no candidate could be cited.
    """
    if not cited:
        return Abstention(_reason(hits, candidates), 0.0, tuple(nearest[:_NEAREST_SHOWN]))
    answers = _distinct(sorted(cited, key=lambda one: (-one.confidence, one.candidate.passage.row)))
    best, *others = answers
    if best.confidence < min_confidence:
        quotes = _different(citation for one in answers for citation in one.citations)
        return Abstention(AbstainReason.LOW_CONFIDENCE, best.confidence, tuple(quotes[:_NEAREST_SHOWN]))
    return CitedAnswer(
        answer=best.candidate.answer,
        short_answer=best.candidate.answer,
        citations=best.citations,
        confidence=best.confidence,
        passage=best.candidate.passage,
        alternatives=tuple(
            Alternative(other.candidate.answer, other.citations, other.confidence) for other in others
        ),
    )


def _reason(hits: Sequence[Hit], candidates: Sequence[Candidate]) -> AbstainReason:
    if not hits:
        return AbstainReason.NO_PASSAGES
    return AbstainReason.NO_QUOTE if candidates else AbstainReason.NO_CANDIDATE


def _different(citations: Iterable[Citation]) -> list[Citation]:
    """The first citation of each place, order kept."""
    by_place: dict[tuple[str, Span], Citation] = {}
    for one in citations:
        by_place.setdefault((one.doc_id, one.span), one)
    return list(by_place.values())


def _distinct(cited: Sequence[CitedCandidate]) -> list[CitedCandidate]:
    """The first candidate of each answer, order kept."""
    by_answer: dict[str, CitedCandidate] = {}
    for one in cited:
        by_answer.setdefault(normalise_answer(one.candidate.answer), one)
    return list(by_answer.values())
