"""The host of one service: loads it in the background, answers through it, one question at a time."""

import asyncio
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, replace
from typing import Any

from app.answering.types import Trace
from app.http.answer_log import log_answer, log_failure
from app.http.worker import Worker
from app.service.ask import Ask, answered
from app.service.assembly import AnswerService
from app.service.response import document_response_as_json, response_as_json
from app.service.settings import Settings
from common.errors import DeadlineExceededError, LoccitError

WARM_UP_QUESTION = "What is known about water?"

_FOR_GENERATING = 0.9  # of the time allowed: what is left is for checking what was written by then
_PATIENCE_S = 5.0

Json = dict[str, Any]


class NotReadyError(LoccitError):
    """The models have not answered yet."""


class Host:
    """Opens the service in its worker thread, so that the event loop stays free from the first moment."""

    def __init__(self, settings: Settings, open_service: Callable[[Settings], AnswerService]) -> None:
        self.settings = settings
        self._open_service = open_service
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

    async def answer(self, ask: Ask, *, include: Collection[str] = ()) -> Json:
        """The response to a question.

        Raises:
            NotReadyError, BusyError, StoppingError: when it cannot be taken on now.
            DeadlineExceededError: when ``settings.timeout_s`` have passed, waiting included.
        """
        service, arrived = self._ready_service(), time.monotonic()
        try:
            trace = await self._answered(service, ask, arrived)
        except BaseException as error:
            log_failure(error, ask, seconds=time.monotonic() - arrived)
            raise
        log_answer(trace, ask)
        return response_as_json(trace, ask, service, include=include)

    def document(self, document_id: str) -> Json:
        """A stored document; NotReadyError, or DocumentNotFoundError when there is none of this id."""
        return document_response_as_json(document_id, self._ready_service())

    def readiness(self) -> Json:
        """Which index and models answer; NotReadyError until they do."""
        service = self._ready_service()
        return {"status": "ready", "generation": service.index.generation, "model": asdict(service.models)}

    def _ready_service(self) -> AnswerService:
        if self._service is None:
            raise NotReadyError("The models are still loading; try again in a few seconds.")
        return self._service

    def _warmed_up(self) -> AnswerService:
        service = self._open_service(self.settings)
        answered(service, Ask(WARM_UP_QUESTION))
        return service

    async def _answered(self, service: AnswerService, ask: Ask, arrived: float) -> Trace:
        allowed, abandoned = self.settings.timeout_s, threading.Event()

        def work() -> Trace:
            waited = time.monotonic() - arrived
            deadline = arrived + allowed * _FOR_GENERATING
            trace = answered(service, ask, deadline=deadline, abandoned=abandoned.is_set)
            return replace(trace, timings={"wait": waited, **trace.timings})

        try:
            async with asyncio.timeout(allowed):
                return await self._worker.do(work)
        except TimeoutError as error:
            raise DeadlineExceededError(
                f"There was no answer within {allowed:g} seconds, waiting included; ask again later, or for less."
            ) from error
        finally:
            abandoned.set()
