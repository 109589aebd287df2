"""The host of one service: loads it in the background, answers through it, one question at a time."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterator
from contextlib import aclosing
from typing import TypeVar

from app.answering.events import Decided, Event
from app.http.answer_log import AnswerLog
from app.http.metrics import HostState, Metrics
from app.http.wire import Ready
from app.http.worker import Worker
from app.service.ask import Ask, answered, events
from app.service.assembly import AnswerService
from app.service.response import (
    AnswerResponse,
    DocumentResponse,
    document_response_of,
    model_of,
    response_of,
)
from app.service.settings import Settings
from common.errors import DeadlineExceededError, LoccitError

WARM_UP_QUESTION = "What is known about water?"

_FOR_GENERATING = 0.9  # of the time allowed: what is left is for checking what was written by then
_PATIENCE_S = 5.0

Value = TypeVar("Value")


class NotReadyError(LoccitError):
    """The models have not answered yet."""


class Host:
    """Opens the service in its worker thread, so that the event loop stays free from the first moment."""

    def __init__(self, settings: Settings, open_service: Callable[[Settings], AnswerService]) -> None:
        self.settings = settings
        self._open_service = open_service
        self.metrics = Metrics()
        self.metrics.watch(self._state)
        self._worker = Worker(max_waiting=settings.max_waiting)
        self._service: AnswerService | None = None

    def start(self) -> None:
        """Begin to work; ``load`` comes next."""
        self._worker.start()

    async def load(self) -> None:
        """Ready when this returns: the service is open and has gone through one question.

        Raises:
            whatever opening the service or answering raises.
        """
        self._service = await self._worker.do(self._warmed_up)

    def close(self) -> None:
        """Turn away who waits and let the service go; blocks for a few seconds at most."""
        self._worker.close(patience_s=_PATIENCE_S)
        self._service = None

    @property
    def at_work(self) -> bool:
        """Whether its thread is there; after ``close`` only when a job could not be waited for."""
        return self._worker.at_work

    async def answer(self, ask: Ask, *, include: Collection[str] = ()) -> AnswerResponse:
        """The response to a question; raises like ``events``."""
        async with aclosing(self.told(ask, include=include)) as happening:
            async for event in happening:
                last = event
        assert isinstance(last, AnswerResponse)  # what is told ends with it
        return last

    def told(
        self, ask: Ask, *, include: Collection[str] = ()
    ) -> AsyncGenerator[Event | AnswerResponse, None]:
        """The same as ``events``, but with the response to the question in the place of the last one."""
        service, happening = self._ready_service(), self.events(ask)

        async def told() -> AsyncGenerator[Event | AnswerResponse, None]:
            async with aclosing(happening):
                async for event in happening:
                    if isinstance(event, Decided):
                        yield response_of(event.trace, ask, service, include=include)
                    else:
                        yield event

        return told()

    def events(self, ask: Ask) -> AsyncGenerator[Event, None]:
        """What happens to a question, stage by stage, logged at its end. Close it (``aclosing``) to give up early.

        Raises:
            NotReadyError: at once, before the models have answered.
            BusyError, StoppingError: when it cannot be taken on now.
            DeadlineExceededError: when ``settings.timeout_s`` have passed, waiting included.
        """
        service, arrived, allowed = self._ready_service(), time.monotonic(), self.settings.timeout_s

        def work() -> Iterator[Event]:
            deadline = arrived + allowed * _FOR_GENERATING
            return events(service, ask, waited=time.monotonic() - arrived, deadline=deadline)

        in_time = _within(allowed, self._worker.stream(work), arrived=arrived)
        log = AnswerLog(
            ask,
            self.metrics,
            generation=service.index.generation,
            arrived=arrived,
            with_question=self.settings.log_questions,
        )
        return _logged(in_time, log)

    def document(self, document_id: str) -> DocumentResponse:
        """A stored document; NotReadyError, or DocumentNotFoundError when there is none of this id."""
        return document_response_of(document_id, self._ready_service())

    def readiness(self) -> Ready:
        """Which index and models answer; NotReadyError until they do."""
        service = self._ready_service()
        return Ready(status="ready", generation=service.index.generation, model=model_of(service.models))

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
        answered(service, Ask(WARM_UP_QUESTION))
        return service


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
