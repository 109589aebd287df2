"""An answer on its way: server-sent events, one a stage."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from app.answering.events import Event
from app.answering.trace_json.events import event_as_json
from app.http.disconnect import ClientGoneError, unless_disconnected
from app.http.problems import problem_document
from app.service.response import AnswerResponse

KEEP_ALIVE_S = 10.0
"""A comment goes out when nothing else did for so long: proxies close what is silent."""

Happening = AsyncGenerator[Event | AnswerResponse, None]
Value = TypeVar("Value")

STILL_THERE = ": still at work\n\n"


class EventStream(StreamingResponse):
    """Sends server-sent events as they come. When the client leaves, ``frames`` is closed, and the work with it."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[str, None]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # nginx would hold the events back
        self._frames = frames
        super().__init__(frames, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._frames):
            with suppress(ClientGoneError, OSError):  # nobody is left to be told
                await unless_disconnected(Request(scope, receive), self.stream_response(send))


async def frames_of(happening: Happening, *, keep_alive_s: float = KEEP_ALIVE_S) -> AsyncGenerator[str, None]:
    """What happens to a question, its response as the last event, or a problem. It ends in every case."""
    try:
        async with aclosing(kept_alive(happening, keep_alive_s)) as values:
            async for value in values:
                yield STILL_THERE if value is None else _frame_of(value)
    except Exception as error:  # the status has been sent: what went wrong is told as an event
        yield _frame("error", problem_document(error))


async def kept_alive(
    values: AsyncGenerator[Value, None], every_s: float
) -> AsyncGenerator[Value | None, None]:
    """The values as they come, and None whenever none came for ``every_s`` seconds."""
    async with aclosing(values):
        while True:
            coming = asyncio.ensure_future(anext(values))
            try:
                while not (await asyncio.wait({coming}, timeout=every_s))[0]:
                    yield None
                value = coming.result()
            except StopAsyncIteration:
                return
            finally:
                coming.cancel()
                await asyncio.gather(coming, return_exceptions=True)
            yield value


def _frame_of(value: Event | AnswerResponse) -> str:
    if isinstance(value, AnswerResponse):
        return _frame("response", value.as_json())
    told = event_as_json(value)
    return _frame(told["event"], told)


def _frame(event: str, data: Any) -> str:  # noqa: ANN401
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
