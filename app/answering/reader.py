"""Readers judge, passage by passage, how likely it answers the question, and where."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from app.answering.text.overlap import Overlap
from app.answering.types import Reading, ScoredSpan
from common.deadline import NO_DEADLINE, Deadline
from retriever.encoder import Encoder, encode_in_turn, passage_input
from retriever.text.units import quotable_spans_of
from retriever.types import Hit

_SPANS_KEPT = 3


class Reader(Protocol):
    """What the pipeline needs of a reader."""

    def read(self, question: str, hits: Sequence[Hit], *, deadline: Deadline = NO_DEADLINE) -> list[Reading]:
        """One reading per hit, most answerable first; equal ones by rank.

        Raises:
            DeadlineExceededError, GivenUpError: when the deadline is over before all are read.
        """


class LexicalReader:
    """An untrained reader: a passage is as answerable as its best sentence.

    A sentence (seen together with the title) scores the mean of two numbers in 0-1: the share of the
    question's words it covers, weighted by idf, and its cosine similarity to the question. Only the best
    covering sentence of each passage is embedded; the others count with their coverage alone.
    """

    def __init__(self, overlap: Overlap, encoder: Encoder) -> None:
        self._overlap, self._encoder = overlap, encoder

    def read(self, question: str, hits: Sequence[Hit], *, deadline: Deadline = NO_DEADLINE) -> list[Reading]:
        wanted = self._overlap.weights(question)
        covering: list[list[ScoredSpan]] = []
        for hit in hits:
            deadline.check("read")
            covering.append(self._by_coverage(wanted, hit))
        agreements = self._agreements(question, hits, [spans[0] for spans in covering], deadline)
        readings = [
            self._reading(hit, spans, agreement)
            for hit, spans, agreement in zip(hits, covering, agreements, strict=True)
        ]
        return sorted(readings, key=lambda reading: (-reading.answerability, reading.hit.rank))

    def _by_coverage(self, wanted: dict[str, float], hit: Hit) -> list[ScoredSpan]:
        passage = hit.passage
        scored = [
            ScoredSpan(
                span.shifted(passage.span.start),
                self._overlap.covered(wanted, passage_input(passage.heading, span.of(passage.window))),
            )
            for span in quotable_spans_of(passage.window)
        ]
        return sorted(scored, key=lambda span: (-span.score, span.span))

    def _agreements(
        self, question: str, hits: Sequence[Hit], best: Sequence[ScoredSpan], deadline: Deadline
    ) -> list[float]:
        """Cosine of question and best sentence, per hit; negative ones count as 0."""
        if not hits:
            return []
        sentences = [
            passage_input(hit.passage.heading, hit.passage.window[start : start + len(scored.span)])
            for hit, scored in zip(hits, best, strict=True)
            for start in [scored.span.start - hit.passage.span.start]
        ]
        # (1, dimension) @ (dimension, hits)
        read = encode_in_turn(self._encoder, sentences, lambda: deadline.check("read"))
        cosines = self._encoder.encode_queries([question]) @ read.T
        return [float(cosine) for cosine in np.clip(cosines[0], 0.0, 1.0)]

    @staticmethod
    def _reading(hit: Hit, spans: list[ScoredSpan], agreement: float) -> Reading:
        best, *others = spans
        scored = [
            ScoredSpan(best.span, (best.score + agreement) / 2),
            *(ScoredSpan(other.span, other.score / 2) for other in others),
        ]
        return Reading(hit, answerability=scored[0].score, spans=tuple(scored[:_SPANS_KEPT]))
