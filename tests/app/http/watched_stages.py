"""Stages that a test holds up, breaks or looks into while the app answers."""

import asyncio
import threading
from collections.abc import Sequence

from app.answering.answer_kind import AnswerKind
from app.answering.cite import Citer
from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.types import Candidate, Quote, Reading, ScoredSpan
from common.deadline import Deadline
from retriever.types import Document


class HeldGenerator:
    """Answers like the reader, but not before ``released`` is set; the warm-up question passes."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.entered = threading.Semaphore(0)
        self.questions: list[str] = []
        self.threads: set[str] = set()
        self.at_once = self.most_at_once = 0

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
        if question.startswith("What is known"):
            return []
        self.questions.append(question)
        self.threads.add(threading.current_thread().name)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.entered.release()
        assert self.released.wait(20)
        self.at_once -= 1
        return ReaderGenerator().generate(question, readings, n=n, seed=seed, deadline=deadline)

    async def wait_until_entered(self) -> None:
        assert await asyncio.to_thread(self.entered.acquire, timeout=20)


class CountingCiter:
    """Cites like the one it holds and remembers for which questions."""

    def __init__(self, citer: Citer) -> None:
        self._citer = citer
        self.questions: set[str] = set()

    def cite(
        self, question: str, candidate: Candidate, document: Document, evidence: Sequence[ScoredSpan] = ()
    ) -> tuple[Quote, ...]:
        self.questions.add(question)
        return self._citer.cite(question, candidate, document, evidence)


class BrokenGenerator(ReaderGenerator):
    """Answers like the reader, but fails on the question ``break``."""

    def generate(self, question, readings, **options):
        if question == "break":
            raise KeyError("secret/path")
        return super().generate(question, readings, **options)
