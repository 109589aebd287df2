"""Conflict: another document that gives another answer, and is not far less sure."""

from collections.abc import Sequence

from app.answering.text.identity import answer_identity
from app.answering.types import CitedCandidate

LEAST_SHARE = 0.3  # of the confidence; docs/decisions/0019-a-conflict-is-told.md


def conflict_with(best: CitedCandidate, others: Sequence[CitedCandidate]) -> CitedCandidate | None:
    """The first of the others that contradicts the best one; None when none does.

    It does when it has at least ``LEAST_SHARE`` of its confidence, is quoted from other documents alone, and says
    something else: neither has all words of the other, order aside and as ``answer_identity`` has them. So "Paris"
    and "Paris, France" are not in conflict, nor are "31 March 1889" and "March 31, 1889".

    ``others``: most confident first.
    """
    documents = {citation.doc_id for citation in best.citations}
    for other in others:
        elsewhere = documents.isdisjoint(citation.doc_id for citation in other.citations)
        near = other.confidence >= LEAST_SHARE * best.confidence
        if near and elsewhere and not _one_says_the_other(best.candidate.answer, other.candidate.answer):
            return other
    return None


def _one_says_the_other(one: str, other: str) -> bool:
    first, second = _words(one), _words(other)
    return first <= second or second <= first


def _words(answer: str) -> set[str]:
    """Of an answer that says nothing, its marks."""
    return set(answer_identity(answer).split() or answer.split())
