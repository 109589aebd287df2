"""Deciding: one answer with its citations, or an abstention with its reason."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice
from typing import TypeVar

from app.answering.answer_kind import AnswerKind
from app.answering.deciding.conflict import conflict_with
from app.answering.text.identity import answer_identity
from app.answering.types import (
    AbstainReason,
    Abstention,
    Alternative,
    Candidate,
    CandidateSource,
    Citation,
    CitedAnswer,
    CitedCandidate,
    Decision,
)
from retriever.types import Hit

_NEAREST_SHOWN = 3
_CONTRADICTED = (AnswerKind.SHORT, AnswerKind.YES_NO)
_SENTENCES = (CandidateSource.EVIDENCE, CandidateSource.CLAIM)
T = TypeVar("T")


def decide(
    hits: Sequence[Hit],
    candidates: Sequence[Candidate],
    cited: Sequence[CitedCandidate],
    nearest: Iterable[Citation],
    *,
    kind: AnswerKind = AnswerKind.SHORT,
    min_confidence: float,
) -> Decision:
    """The most confident answer, with the others as alternatives; or why there is none.

    Candidates that say the same (see ``answer_identity``) are one answer: its most confident form stands for it.
    ``nearest``: the best quotes found without an answer, best first. The first few are shown when no candidate could
    be cited; no more are taken, so they may be made as they are asked for. Where no answer is sure enough, each one's
    first quote is shown before any second one. An answer that another document contradicts
    says so (see ``conflict_with``); its confidence stays as it is. ``kind``: that is asked for; two explanations that
    differ do not contradict each other. Where yes or no is asked for and a sentence is the answer, it explains.
    """
    if not cited:
        return Abstention(_reason(hits, candidates), 0.0, _shown(nearest), kind)
    ranked = sorted(cited, key=lambda answer: (-answer.confidence, answer.candidate.passage.row))
    answers = _first_of_each(ranked, key=lambda answer: answer_identity(answer.candidate.answer))
    best, *others = answers
    if best.confidence < min_confidence:
        firsts = [citation for answer in answers for citation in answer.citations[:1]]
        citations = firsts + [citation for answer in answers for citation in answer.citations[1:]]
        quotes = _first_of_each(citations, key=lambda citation: (citation.doc_id, citation.span))
        return Abstention(AbstainReason.LOW_CONFIDENCE, best.confidence, _shown(quotes), kind)
    if kind is AnswerKind.YES_NO and best.candidate.source in _SENTENCES:
        kind = AnswerKind.EXPLANATION
    rivals = [other for other in ranked if other.candidate.source is not CandidateSource.EVIDENCE]
    rival = conflict_with(best, rivals) if kind in _CONTRADICTED else None
    return CitedAnswer(
        answer=best.candidate.answer,
        short_answer=best.candidate.answer,
        citations=best.citations,
        confidence=best.confidence,
        passage=best.candidate.passage,
        alternatives=tuple(map(_alternative, others)),
        conflict=None if rival is None else _alternative(rival),
        kind=kind,
    )


def _alternative(other: CitedCandidate) -> Alternative:
    return Alternative(other.candidate.answer, other.citations, other.confidence)


def _shown(nearest: Iterable[Citation]) -> tuple[Citation, ...]:
    return tuple(islice(nearest, _NEAREST_SHOWN))


def _reason(hits: Sequence[Hit], candidates: Sequence[Candidate]) -> AbstainReason:
    if not hits:
        return AbstainReason.NO_PASSAGES
    return AbstainReason.NO_QUOTE if candidates else AbstainReason.NO_CANDIDATE


def _first_of_each(items: Iterable[T], key: Callable[[T], Hashable]) -> list[T]:
    """The first item of each key, order kept."""
    by_key: dict[Hashable, T] = {}
    for item in items:
        by_key.setdefault(key(item), item)
    return list(by_key.values())
