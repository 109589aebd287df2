"""Asking a service: one question with how it is to be answered."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from app.answering.events import Decided, Event
from app.answering.options import AnswerLength, AnswerOptions
from app.answering.types import Trace
from app.service.assembly import AnswerService
from app.service.handed_in import TextFormat, as_read
from common.deadline import NO_DEADLINE, Deadline
from retriever.filters import Filter
from retriever.types import Document


@dataclass(frozen=True, slots=True)
class Ask:
    """A checked question. ``documents``: answer from these alone. None: as the service is set.

    ``formats``: what the documents are written in, by their ids; those without one are plain text.
    ``filter``: answer from the documents of the index that match it. ``allowed``: for whoever asks there are no others
    in the index than those that match it. Neither is about ``documents``.
    """

    question: str
    top_k: int | None = None
    min_confidence: float | None = None
    documents: tuple[Document, ...] | None = None
    length: AnswerLength | None = None
    filter: Filter | None = None
    allowed: Filter | None = None
    formats: Mapping[str, TextFormat] = field(default_factory=dict)

    def options(self, defaults: AnswerOptions) -> AnswerOptions:
        """The service's options with this question's own in their place."""
        return replace(
            defaults,
            top_k=defaults.top_k if self.top_k is None else self.top_k,
            min_confidence=defaults.min_confidence if self.min_confidence is None else self.min_confidence,
            length=defaults.length if self.length is None else self.length,
        )


def events(
    service: AnswerService, ask: Ask, *, waited: float = 0.0, deadline: Deadline = NO_DEADLINE
) -> Iterator[Event]:
    """What happens to the question, stage by stage; the last event holds the trace. Stop reading to abandon it.

    Beside the stages' timings the trace has ``wait``, and ``index`` when documents were handed in: the time that
    it took to read them and to make them searchable. Its ``documents`` are those, as they were read.

    ``waited``: seconds that passed before its turn came. ``deadline``: by when an answer is due; whoever stops
    reading while a stage is under way gives it up.

    Raises:
        DeadlineExceededError: when the deadline passes before there is a candidate.
        GivenUpError: when the question is given up before there is one.
        InvalidRequestError: when the filter names a field that no document has.
    """
    pipeline, timings = service.pipeline, {"wait": waited}
    documents: tuple[Document, ...] = ()
    if ask.documents is not None:
        started = time.perf_counter()
        documents = as_read(
            ask.documents,
            ask.formats,
            max_characters=service.settings.max_document_characters,
            deadline=deadline,
        )
        pipeline = service.over(documents, deadline=deadline)
        timings["index"] = time.perf_counter() - started
    else:
        pipeline = service.within(service.index.fields.selected(ask.filter, allowed=ask.allowed))
    for event in pipeline.run(ask.question, ask.options(pipeline.options), deadline=deadline):
        if isinstance(event, Decided):
            told = {**timings, **event.trace.timings}
            event = Decided(replace(event.trace, timings=told, documents=documents))
        yield event


def answered(service: AnswerService, ask: Ask) -> Trace:
    """The trace of the answered question; see ``events``."""
    *_, last = events(service, ask)
    assert isinstance(last, Decided)  # the events end with it
    return last.trace
