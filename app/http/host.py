"""The host of one service: loads it in the background, answers through it, one question at a time.

While a question waits for the server of a language model, searches, checks and new generations pass it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TypeVar

from app.answering.events import Decided, Event
from app.answering.generators.reader_generator import ReaderGenerator
from app.http.changing.change_queue import Became, ChangeNotServedError, Changes
from app.http.telemetry.answer_log import AnswerLog
from app.http.telemetry.metrics import HostState, Metrics
from app.http.wire.check import MAX_CHECKED
from app.http.wire.responses import Changed, Ready, Reloaded
from app.http.worker import StoppingError, Worker
from app.service.ask import Ask, answered, events
from app.service.assembly import AnswerService
from app.service.changes import Outcome, Wanted, change_documents
from app.service.check import CheckResponse, checker_of
from app.service.index_description import IndexResponse, index_response_of
from app.service.response import (
    AnswerResponse,
    Calibration,
    DocumentResponse,
    document_response_of,
    model_of,
    response_of,
)
from app.service.search import SearchResponse, passages_listed, searched
from app.service.settings import Settings
from common.deadline import Deadline
from common.errors import (
    DeadlineExceededError,
    DocumentNotFoundError,
    InvalidRequestError,
    LoccitError,
)
from quote_check.check_answer import AnswerToCheck
from retriever.filters import Filter
from retriever.generations import current_generation
from retriever.retriever import IndexRetriever
from retriever.types import RetrievalMode

WARM_UP_QUESTION = "What is known about water?"

_FOR_GENERATING = 0.9  # of the time allowed: what is left is for checking what was written by then
_PATIENCE_S = 5.0

_LOG = logging.getLogger(__name__)

Value = TypeVar("Value")


class NotReadyError(LoccitError):
    """The models have not answered yet."""


class ReloadRefusedError(LoccitError):
    """The index that is current now cannot be served; the one that was opened before serves on."""


class Host:
    """Opens the service in its worker thread, so that the event loop stays free from the first moment."""

    def __init__(self, settings: Settings, open_service: Callable[[Settings], AnswerService]) -> None:
        self.settings = settings
        self._open_service = open_service
        self.metrics = Metrics()
        self.metrics.watch(self._state)
        self._worker = Worker(max_waiting=settings.max_waiting)
        self._opener = Worker(max_waiting=1, name="loccit-opener")
        self._reloading = asyncio.Lock()
        self._changes = Changes(self._make, most=settings.max_waiting)
        self._service: AnswerService | None = None

    def start(self) -> None:
        """Begin to work; ``load`` comes next."""
        self._worker.start()
        self._opener.start()

    async def load(self) -> None:
        """Ready when this returns: the service is open and has gone through one question.

        A language model's server may be away: that is logged, and it is asked again with every question.

        Raises:
            whatever opening the service or answering raises.
        """
        service = await self._worker.do(self._warmed_up)
        complaint = None if service.server is None else await service.server.complaint()
        if complaint is not None:
            _LOG.warning("%s Questions are told so until it answers.", complaint)
        self._service = service

    async def reload(self) -> Reloaded:
        """Serve the generation of the index that is current now, and its calibrator.

        It is opened beside the one that answers and goes through one question; the next question is then answered
        from it. Questions that came before are answered from the old one, which is let go after the last of them.

        Raises:
            NotReadyError: before the models have answered.
            ReloadRefusedError: when it cannot be served; the log says so, too.
            StoppingError: when the server is stopping.
        """
        async with self._reloading:
            old = self._ready_service()
            try:
                new = await self._opener.do(old.reopened)
                await self._worker.do(lambda: _warm_up(new), goes_first=True, passes=True)
            except StoppingError:
                raise
            except Exception as error:
                raise _refused(error, old) from error
            self._service = new
        return _reloaded(old, new)

    async def change(self, wanted: Wanted) -> tuple[Outcome, Changed]:
        """Change the index as wanted, together with what others want meanwhile, and serve it.

        Raises:
            NotReadyError: before the models have answered.
            DocumentNotFoundError: when a document that is to go is not there.
            ChangeRefusedError, IndexNotWritableError: when the index cannot be changed; it stays as it is.
            IndexBusyError: when too many changes wait, or another process changes the index.
            ChangeNotServedError: when it was changed but cannot be served; the sentence names both generations.
            StoppingError: when the server is stopping.
        """
        self._ready_service()
        outcome = await self._changes.make(wanted)
        if outcome is Outcome.UNKNOWN:
            raise DocumentNotFoundError(
                f"No document has the id {wanted.doc_id!r}; an answer's citations name ids that exist."
            )
        return outcome, Changed(document_id=wanted.doc_id, generation=self.generation)

    async def _make(self, wanted: Sequence[Wanted]) -> Sequence[Became]:
        """What became of each; where the generation cannot be served, those that are in it are told so.

        So is who deletes again what went in a generation that is not served yet.
        """
        service = self._ready_service()
        made = await self._opener.do(lambda: change_documents(service, wanted))
        to_serve = [
            outcome is not Outcome.UNKNOWN or service.index.store.source_of(each.doc_id) is not None
            for each, outcome in zip(wanted, made.outcomes, strict=True)
        ]
        if any(to_serve):
            try:
                await self.reload()
            except ReloadRefusedError as error:
                current = made.generation or current_generation(service.settings.index).name
                not_served = ChangeNotServedError(
                    f"The change is in the index, in generation {current}, but the service answers from generation "
                    f"{self.generation} until it can open that one: {error.__cause__}"
                )
                not_served.__cause__ = error
                return [
                    not_served if waits else outcome
                    for waits, outcome in zip(to_serve, made.outcomes, strict=True)
                ]
        return made.outcomes

    def turn_away(self) -> None:
        """Take no more questions, and turn away who waits; the answer under way is finished."""
        self._worker.turn_away()
        self._opener.turn_away()

    def close(self) -> None:
        """Turn away who waits and let the service go; blocks for a few seconds at most."""
        self.turn_away()
        self._worker.close(patience_s=_PATIENCE_S)
        self._opener.close(patience_s=0)
        self._service = None

    @property
    def at_work(self) -> bool:
        """Whether a thread of its is there; after ``close`` only when a job could not be waited for."""
        return self._worker.at_work or self._opener.at_work

    @property
    def generation(self) -> str | None:
        """The generation of the index that the next question is answered from; None before there is one."""
        return None if self._service is None else self._service.index.generation

    async def answer(
        self, ask: Ask, *, include: Collection[str] = (), patient: bool = False
    ) -> AnswerResponse:
        """The response to a question; raises like ``events``."""
        async with aclosing(self.told(ask, include=include, patient=patient)) as happening:
            async for event in happening:
                last = event
        assert isinstance(last, AnswerResponse)  # what is told ends with it
        return last

    def told(
        self, ask: Ask, *, include: Collection[str] = (), patient: bool = False
    ) -> AsyncGenerator[Event | AnswerResponse, None]:
        """The same as ``events``, but with the response to the question in the place of the last one."""
        service, happening = self._ready_service(), self.events(ask, patient=patient)

        async def told() -> AsyncGenerator[Event | AnswerResponse, None]:
            async with aclosing(happening):
                async for event in happening:
                    if isinstance(event, Decided):
                        yield response_of(event.trace, ask, service, include=include)
                    else:
                        yield event

        return told()

    def events(self, ask: Ask, *, patient: bool = False) -> AsyncGenerator[Event, None]:
        """What happens to a question, stage by stage, logged at its end. Close it (``aclosing``) to give up early.

        ``patient``: waits for a place in the queue where that is full.

        Raises:
            NotReadyError: at once, before the models have answered.
            InvalidRequestError: at once, when the filter names a field that no document has.
            BusyError: when the queue is full, unless it is patient.
            StoppingError: when the server is stopping.
            DeadlineExceededError: when ``settings.timeout_s`` have passed, waiting included.
        """
        service, arrived, seconds = self._ready_service(), time.monotonic(), self.settings.timeout_s
        service.index.fields.check(ask.filter, allowed=ask.allowed)
        deadline = Deadline(arrived + seconds * _FOR_GENERATING)

        def work() -> Iterator[Event]:
            return events(service, ask, waited=time.monotonic() - arrived, deadline=deadline)

        in_time = _within(seconds, self._worker.stream(work, deadline, patient=patient), arrived=arrived)
        log = AnswerLog(
            ask,
            self.metrics,
            generation=service.index.generation,
            arrived=arrived,
            with_question=self.settings.log_questions,
        )
        return _logged(in_time, log)

    def document(self, document_id: str, *, allowed: Filter | None) -> DocumentResponse:
        """A stored document; NotReadyError, or DocumentNotFoundError when there is none of this id.

        ``allowed``: there are no other documents than those that match it.
        """
        return document_response_of(document_id, self._ready_service(), allowed=allowed)

    async def search(
        self,
        query: str,
        *,
        k: int | None,
        mode: RetrievalMode | None,
        asked: Filter | None,
        allowed: Filter | None,
    ) -> SearchResponse:
        """The passages for a checked query; in the worker, so that it takes its turn. Raises like ``events``.

        ``asked``: only documents that match it. ``allowed``: there are no other documents than those that match it.
        """
        service, arrived = self._ready_service(), time.monotonic()
        mode, listed = mode or self.settings.retrieval, k or passages_listed(self.settings)

        def work() -> Iterator[SearchResponse]:
            selection = service.index.fields.selected(asked, allowed=allowed)
            retriever = IndexRetriever(service.index, service.encoder, mode=mode, selection=selection)
            yield searched(retriever, query, k=listed, allowed=allowed)

        values = _within(self.settings.timeout_s, self._worker.stream(work, passes=True), arrived=arrived)
        async with aclosing(values):
            return await anext(values)

    async def check(self, asked: AnswerToCheck, *, allowed: Filter | None) -> CheckResponse:
        """What becomes of an answer's quotes and claims; in the worker, so that it takes its turn.

        Raises like ``events``, and InvalidRequestError when it has more quotes or claims than are checked at once, or
        whoever asks may see some documents of the index alone (``allowed``) and hands none in.
        """
        if allowed is not None and not asked.documents:
            raise InvalidRequestError(
                "This API key may see some documents alone, but a check looks at the whole index; hand in the "
                "documents that the answer cites."
            )
        service, arrived, seconds = self._ready_service(), time.monotonic(), self.settings.timeout_s
        deadline = Deadline(arrived + seconds)

        def work() -> Iterator[CheckResponse]:
            waited = time.monotonic() - arrived
            yield checker_of(service).check(asked, most=MAX_CHECKED, waited=waited, deadline=deadline)

        values = _within(seconds, self._worker.stream(work, deadline, passes=True), arrived=arrived)
        async with aclosing(values):
            response = await anext(values)
        self.metrics.count_check(response.verdicts)
        return response

    def index(self, *, allowed: Filter | None) -> IndexResponse:
        """What the index says of itself; NotReadyError until it answers.

        ``allowed``: there are no other documents than those that match it.
        """
        return index_response_of(self._ready_service().index, allowed=allowed)

    def readiness(self) -> Ready:
        """Which index and models answer; NotReadyError until they do."""
        service = self._ready_service()
        return Ready(status="ready", generation=service.index.generation, model=model_of(service.models))

    async def readiness_now(self) -> Ready:
        """The same; NotReadyError, too, while the server of the language model cannot answer, with its fault."""
        ready, server = self.readiness(), self._ready_service().server
        complaint = None if server is None else await server.complaint()
        if complaint is not None:
            raise NotReadyError(complaint)
        return ready

    def _state(self) -> HostState:
        service = self._service
        return HostState(
            ready=service is not None,
            waiting=self._worker.waiting,
            busy=self._worker.busy,
            generation=None if service is None else service.index.generation,
        )

    def _ready_service(self) -> AnswerService:
        if self._service is None:
            raise NotReadyError("The models are still loading; try again in a few seconds.")
        return self._service

    def _warmed_up(self) -> AnswerService:
        service = self._open_service(self.settings)
        _warm_up(service)
        return service


def _warm_up(service: AnswerService) -> None:
    """Put a question to it, and have what filters look at read, so that the first who asks does not wait for it.

    A language model behind a server is not asked, as nobody knows how long that takes: the reader answers in its place.
    """
    if service.server is not None:
        service = replace(service, pipeline=replace(service.pipeline, generator=ReaderGenerator()))
    answered(service, Ask(WARM_UP_QUESTION))
    service.index.fields.load()


def _refused(error: Exception, old: AnswerService) -> ReloadRefusedError:
    unforeseen = None if isinstance(error, (LoccitError, OSError)) else error
    refused = ReloadRefusedError(
        f"The index was not reloaded, and generation {old.index.generation} serves on: {error}"
    )
    _LOG.error("%s", refused, exc_info=unforeseen)
    return refused


def _reloaded(old: AnswerService, new: AnswerService) -> Reloaded:
    """What was put in the place of what, also in the log."""
    if new.index.generation == old.index.generation:
        _LOG.info("Generation %s is still the current one; it was opened anew.", new.index.generation)
    else:
        _LOG.info("Generation %s answers in the place of %s.", new.index.generation, old.index.generation)
    calibration = new.calibration
    if calibration is not None and not calibration.applies:
        _LOG.warning(
            "The confidence was fitted on %s and does not apply to generation %s; fit it with `loccit calibrate`.",
            calibration.calibrator.fitted_on.name,
            new.index.generation,
        )
    return Reloaded(
        generation=new.index.generation,
        previous=old.index.generation,
        calibration=None
        if calibration is None
        else Calibration(fitted_on=calibration.calibrator.fitted_on.name, applies=calibration.applies),
    )


async def _within(
    allowed: float, values: AsyncGenerator[Value, None], *, arrived: float
) -> AsyncGenerator[Value, None]:
    """The values as they come; DeadlineExceededError when one has not come ``allowed`` seconds after ``arrived``."""
    async with aclosing(values):
        while True:
            try:
                async with asyncio.timeout(arrived + allowed - time.monotonic()):
                    value = await anext(values)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise DeadlineExceededError(
                    f"There was no answer within {allowed:g} seconds, waiting included; ask again later, or for less."
                ) from error
            yield value


async def _logged(happening: AsyncGenerator[Event, None], log: AnswerLog) -> AsyncGenerator[Event, None]:
    """The same events; the log says how it ended, in one line."""
    try:
        async with aclosing(happening):
            async for event in happening:
                if isinstance(event, Decided):
                    log.decided(event.trace)
                yield event
    except BaseException as error:
        log.failed(error)
        raise
