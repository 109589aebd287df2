"""The protocol of generators: what writes or finds candidates."""

from collections.abc import Sequence
from typing import Protocol

from app.answering.answer_kind import AnswerKind
from app.answering.types import Candidate, Reading
from common.deadline import Deadline


class Generator(Protocol):
    """Writes candidates, each from a single passage (GopherCite, section 2.3: one document per sample).

    A generator that looks further passages up while it writes, as RETRO does, is made with the retriever: see
    ``Writing`` in ``app.service.generation``.
    """

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
        """``n`` at most are written by a language model.

        ``readings``: best first. ``kind``: of the answer; another than a short one is asked for only where a reading
        is ``broad``. ``deadline``: when it is over, what there is by then is handed over.
        """
