"""Citing: the sentences of a candidate's passage that back its answer, located in the document."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

from app.answering.overlap import Overlap
from app.answering.types import Candidate, Quote
from retriever.sentences import sentence_spans
from retriever.types import Document, Span

_LEAST_RECALL = 0.5


class Citer(Protocol):
    """What the pipeline needs of a citer."""

    def cite(self, question: str, candidate: Candidate, document: Document) -> Quote | None:
        """The quote that backs the candidate, or None when its passage holds none."""


class SentenceCiter:
    """Quotes one whole sentence of the passage or its continuation, or two that only together have the answer.

    A pointer of the candidate decides where there is one. Otherwise the sentence that holds most of the
    answer's words (weighted by idf) wins; equal ones by the question's words they cover, then the first.
    Two neighbouring sentences are quoted only when together they hold more of the answer than any one.
    A passage with less than half of the answer's words backs nothing.
    """

    def __init__(self, overlap: Overlap) -> None:
        self._overlap = overlap

    def cite(self, question: str, candidate: Candidate, document: Document) -> Quote | None:
        passage = candidate.passage
        sentences = [span.shifted(passage.span.start) for span in sentence_spans(passage.window)]
        if candidate.pointer is not None:
            span = _around(candidate.pointer, sentences)
        else:
            span = self._best(question, candidate.answer, sentences, document)
        return None if span is None else Quote(document, span)

    def _best(self, question: str, answer: str, sentences: Sequence[Span], document: Document) -> Span | None:
        of_answer, of_question = self._overlap.weights(answer), self._overlap.weights(question)
        pairs = [Span(a.start, b.end) for a, b in pairwise(sentences)]

        def merit(span: Span) -> tuple[float, bool, float, int]:
            text = span.of(document.text)
            single = span in sentences
            return (
                round(self._overlap.covered(of_answer, text), 6),
                single,
                self._overlap.covered(of_question, text),
                -span.start,
            )

        best = max([*sentences, *pairs], key=merit, default=None)
        if best is None or merit(best)[0] < _LEAST_RECALL:
            return None
        return best


def _around(pointer: Span, sentences: Sequence[Span]) -> Span | None:
    """From the start of the first sentence that the pointer touches to the end of the last."""
    touched = [s for s in sentences if s.start < pointer.end and pointer.start < s.end]
    return Span(touched[0].start, touched[-1].end) if touched else None
