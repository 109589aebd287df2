"""Answers that the reader found, without a language model."""

from collections.abc import Sequence

from app.answering.answer_kind import AnswerKind
from app.answering.generators.broad_answers import broad_candidates
from app.answering.generators.found_answers import found_candidate
from app.answering.types import Candidate, CandidateSource, Reading
from common.deadline import Deadline
from retriever.text.folding import shown

SPANS_EXTRACTED = (3, 3, 1, 1, 1)
"""How many of the reader's spans are answers: of the best passage, of the second, and so on."""


class ReaderGenerator:
    """The reader alone: its best spans in the best passages are answers, their scores the probability.

    ``spans``: how many of the best passage, of the second, and so on.
    """

    def __init__(self, *, spans: Sequence[int] = SPANS_EXTRACTED) -> None:
        self._spans = tuple(spans)

    def generate(
        self,
        question: str,  # noqa: ARG002
        readings: Sequence[Reading],
        *,
        kind: AnswerKind = AnswerKind.SHORT,
        n: int,  # noqa: ARG002 - the language model's number alone
        seed: int,  # noqa: ARG002
        deadline: Deadline,  # noqa: ARG002
    ) -> list[Candidate]:
        """Passage by passage, each one's best span first; for another kind of answer, see ``broad_candidates``."""
        if kind is not AnswerKind.SHORT:
            return broad_candidates(kind, readings)
        return [
            found_candidate(
                reading,
                shown(reading.hit.passage.text_at(scored.span)),
                CandidateSource.READER,
                scored.span,
                scored.score,
            )
            for reading, count in zip(readings, self._spans, strict=False)
            for scored in reading.spans[:count]
        ]
