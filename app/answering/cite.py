"""Citing: the units of a candidate's passage that back its answer, located in the document."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

from app.answering.evidence import likelihood
from app.answering.text.overlap import Overlap
from app.answering.types import Candidate, CandidateSource, Quote, ScoredSpan
from retriever.text.units import quotable_spans
from retriever.types import Document, Span

_LEAST_ANSWERED = 0.5
_LEAST_EVIDENT = 0.15
_LEAST_TOLD = 0.1
"""Of the question's words, by weight, that a second quote has to add more than."""
_FEW_WORDS = frozenset({CandidateSource.READER, CandidateSource.LM})
_WITH_QUOTES = frozenset({CandidateSource.CONSTRAINED, CandidateSource.CLAIM})


class Citer(Protocol):
    """What the pipeline needs of a citer."""

    def cite(
        self, question: str, candidate: Candidate, document: Document, evidence: Sequence[ScoredSpan] = ()
    ) -> tuple[Quote, ...]:
        """The quotes that back the candidate, the one with the answer first; none when its passage holds none.

        ``evidence``: units of the passage with how likely (0-1) each is among what answers, where a reader says so.
        """


class SentenceCiter:
    """Quotes one whole unit of the passage or its continuation, or two that only together have the answer.

    A unit is a sentence of a paragraph, or a whole step, row or line (see ``retriever.text.units``). A pointer decides
    where there is one: the candidate's own, or with ``lm_points`` the one in the language model's opinion of it. What
    the language model quoted itself is taken as it is. Otherwise a unit's merit is ``answered x (1 + asked)``: how much
    of the answer it holds (see ``Overlap.answered``), and the share of the question's words it covers; equal ones are
    decided by place. Two neighbouring units are quoted only when together they hold more of the answer than any one. A
    passage with less than half of the answer backs nothing.

    A unit that names the answer may not say what was asked: "Bill Gates is a businessman. He co-founded Microsoft."
    Then the likeliest evidence among the passage's other units is quoted besides, where it tells words of the question
    that title, quote and answer do not.
    """

    def __init__(self, overlap: Overlap, *, lm_points: bool = False) -> None:
        self._overlap, self._lm_points = overlap, lm_points

    def cite(
        self, question: str, candidate: Candidate, document: Document, evidence: Sequence[ScoredSpan] = ()
    ) -> tuple[Quote, ...]:
        span = self._answering(question, candidate, document)
        if span is None:
            return ()
        besides = None
        if evidence and candidate.source in _FEW_WORDS:
            besides = self._telling(question, candidate, span, document, evidence)
        return tuple(Quote(document, each) for each in (span, besides) if each is not None)

    def _answering(self, question: str, candidate: Candidate, document: Document) -> Span | None:
        """What has the answer."""
        if candidate.source in _WITH_QUOTES and candidate.pointer is not None:
            return candidate.pointer
        units = quotable_spans(document, candidate.passage.window_span)
        pointer = self._pointer(candidate)
        if pointer is not None:
            return _around(pointer, units)
        return self._best(question, candidate.answer, units, document)

    def _telling(
        self,
        question: str,
        candidate: Candidate,
        quoted: Span,
        document: Document,
        evidence: Sequence[ScoredSpan],
    ) -> Span | None:
        """The likeliest unit that tells of the question's words which what is quoted does not tell."""
        of_question = self._overlap.weights(question)
        told = f"{document.title}\n{quoted.of(document.text)}\n{candidate.answer}"
        covered = self._overlap.covered(of_question, told)
        telling: dict[Span, float] = {}
        for unit in quotable_spans(document, candidate.passage.window_span, headings=False):
            likely = likelihood(unit, evidence)
            if likely >= _LEAST_EVIDENT and not unit.touches(quoted):
                more = self._overlap.covered(of_question, f"{told}\n{unit.of(document.text)}")
                if more - covered > _LEAST_TOLD:
                    telling[unit] = likely
        return max(telling, key=lambda unit: (telling[unit], -unit.start), default=None)

    def _pointer(self, candidate: Candidate) -> Span | None:
        if self._lm_points and candidate.opinion is not None and candidate.opinion.pointer is not None:
            return candidate.opinion.pointer
        return candidate.pointer

    def _best(self, question: str, answer: str, units: Sequence[Span], document: Document) -> Span | None:
        of_answer, of_question = self._overlap.weights(answer), self._overlap.weights(question)

        def answered(span: Span) -> float:
            return round(self._overlap.answered(of_answer, document.title, span.of(document.text)), 6)

        def merit(span: Span) -> tuple[float, int]:
            asked = self._overlap.covered(of_question, span.of(document.text))
            return answered(span) * (1 + asked), -span.start

        most = max(map(answered, units), default=0.0)
        pairs = (Span(first.start, second.end) for first, second in pairwise(units))
        best = max([*units, *(pair for pair in pairs if answered(pair) > most)], key=merit, default=None)
        return best if best is not None and answered(best) >= _LEAST_ANSWERED else None


def _around(pointer: Span, units: Sequence[Span]) -> Span | None:
    """From the start of the first unit that the pointer touches to the end of the last."""
    touched = [unit for unit in units if unit.touches(pointer)]
    return Span(touched[0].start, touched[-1].end) if touched else None
