"""A long answer of a language model behind a server: its own claims, each with the quote that backs it."""

from collections.abc import Sequence
from dataclasses import replace

from app.answering.answer_kind import AnswerKind
from app.answering.composing.protocol import Composer
from app.answering.text.identity import answer_identity
from app.answering.types import Candidate, CandidateSource, Citation, CitedAnswer, CitedCandidate, ScoredSpan
from common.deadline import Deadline
from retriever.types import Document


class ClaimComposer:
    """Joins the claims of the sample that the answer is of, as many as are sure enough, in the order they were written.

    The confidence stays that of the claim that was chosen. An answer of a few words, and one that no server wrote, is
    left to ``sentences``.
    """

    def __init__(self, sentences: Composer) -> None:
        self._sentences = sentences

    def compose(
        self,
        question: str,
        answer: CitedAnswer,
        document: Document,
        *,
        cited: Sequence[CitedCandidate] = (),
        evidence: Sequence[ScoredSpan] = (),
        deadline: Deadline,
    ) -> CitedAnswer:
        chosen = _chosen(answer, cited)
        if chosen is None or answer.kind is AnswerKind.SHORT:
            return self._sentences.compose(
                question, answer, document, cited=cited, evidence=evidence, deadline=deadline
            )
        claims: dict[str, CitedCandidate] = {}
        for each in cited:
            if each.candidate.source is CandidateSource.CLAIM and each.candidate.sample == chosen.sample:
                claims.setdefault(answer_identity(each.candidate.answer), each)
        citations: dict[tuple[str, int, int], Citation] = {}
        for each in claims.values():
            for citation in each.citations:
                key = (citation.doc_id, citation.span.start, citation.span.end)
                citations.setdefault(key, citation)
        said = [each.candidate.answer for each in claims.values()]
        text = "\n".join(said) if answer.kind is AnswerKind.LIST else " ".join(map(_ended, said))
        return replace(answer, answer=text, citations=tuple(citations.values()))


def _chosen(answer: CitedAnswer, cited: Sequence[CitedCandidate]) -> Candidate | None:
    """The claim that is the answer; None where it is no server's."""
    return next(
        (
            each.candidate
            for each in cited
            if each.candidate.source is CandidateSource.CLAIM
            and (each.candidate.answer, each.citations) == (answer.short_answer, answer.citations)
        ),
        None,
    )


def _ended(claim: str) -> str:
    return claim if claim.endswith((".", "!", "?", ":", ";", "…")) else f"{claim}."
