"""Deciding: one answer with its citations, or an abstention with its reason."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from app.answering.text.normalise import normalise_answer
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
from retriever.types import Hit

_NEAREST_SHOWN = 3
T = TypeVar("T")


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
    answers = _first_of_each(
        sorted(cited, key=lambda one: (-one.confidence, one.candidate.passage.row)),
        key=lambda one: normalise_answer(one.candidate.answer),
    )
    best, *others = answers
    if best.confidence < min_confidence:
        citations = [citation for one in answers for citation in one.citations]
        quotes = _first_of_each(citations, key=lambda one: (one.doc_id, one.span))
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


def _first_of_each(items: Iterable[T], key: Callable[[T], Hashable]) -> list[T]:
    """The first item of each key, order kept."""
    by_key: dict[Hashable, T] = {}
    for one in items:
        by_key.setdefault(key(one), one)
    return list(by_key.values())
