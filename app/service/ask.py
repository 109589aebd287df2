"""Asking a service: one question with how it is to be answered."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from app.answering.options import AnswerLength, AnswerOptions
from app.answering.pipeline import Decided, Pipeline
from app.answering.types import Trace
from app.service.assembly import AnswerService
from common.errors import LoccitError
from retriever.types import Document


class AbandonedError(LoccitError):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A checked question. ``documents``: answer from these alone. None: as the service is set."""

    question: str
    top_k: int | None = None
    min_confidence: float | None = None
    documents: tuple[Document, ...] | None = None
    length: AnswerLength | None = None

    def options(self, defaults: AnswerOptions) -> AnswerOptions:
        """The service's options with this question's own in their place."""
        return replace(
            defaults,
            top_k=defaults.top_k if self.top_k is None else self.top_k,
            min_confidence=defaults.min_confidence if self.min_confidence is None else self.min_confidence,
            length=defaults.length if self.length is None else self.length,
        )


def answered(
    service: AnswerService,
    ask: Ask,
    *,
    deadline: float | None = None,
    abandoned: Callable[[], bool] = lambda: False,
) -> Trace:
    """The trace of the answered question; its timings name ``index`` when documents were handed in.

    ``deadline``: a ``time.monotonic()`` value. ``abandoned``: asked between stages.

    Raises:
        DeadlineExceededError: when the deadline passes before there is a candidate.
        AbandonedError: when ``abandoned`` says so.
    """
    if ask.documents is None:
        return _drained(service.pipeline, ask, deadline, abandoned)
    started = time.perf_counter()
    pipeline = service.over(ask.documents)
    indexing = time.perf_counter() - started
    trace = _drained(pipeline, ask, deadline, abandoned)
    return replace(trace, timings={"index": indexing, **trace.timings})


def _drained(pipeline: Pipeline, ask: Ask, deadline: float | None, abandoned: Callable[[], bool]) -> Trace:
    for event in pipeline.run(ask.question, ask.options(pipeline.options), deadline=deadline):
        if isinstance(event, Decided):
            return event.trace
        if abandoned():
            raise AbandonedError("The question was abandoned before it was answered.")
    raise AssertionError("A pipeline's run ends with its decision.")
