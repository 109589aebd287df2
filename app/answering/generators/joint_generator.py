"""Answers of the reader and of the language model together."""

from collections.abc import Sequence

from app.answering.answer_kind import AnswerKind
from app.answering.generators.lm_generator import LMGenerator
from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.types import Candidate, Reading
from common.deadline import Deadline


class JointGenerator:
    """Reader and language model each propose answers, the reader's first; ``n`` of them the language model's.

    Where more than a few words are asked for, the reader answers alone.
    """

    def __init__(self, reader: ReaderGenerator, lm: LMGenerator) -> None:
        self._reader, self._lm = reader, lm

    def generate(
        self,
        question: str,
        readings: Sequence[Reading],
        *,
        kind: AnswerKind = AnswerKind.SHORT,
        n: int,
        seed: int,
        deadline: Deadline,
    ) -> list[Candidate]:
        found = self._reader.generate(question, readings, kind=kind, n=n, seed=seed, deadline=deadline)
        if kind is not AnswerKind.SHORT:
            return found
        return [*found, *self._lm.generate(question, readings, n=n, seed=seed, deadline=deadline)]
