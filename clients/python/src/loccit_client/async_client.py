"""A client for asyncio."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from loccit_client.calls import (
    Call,
    answer_call,
    answers_call,
    check_call,
    document_call,
    index_call,
    search_call,
    stream_call,
)
from loccit_client.checking import Check, GivenClaim, GivenQuote
from loccit_client.connection import DEFAULT_RETRIES, DEFAULT_TIMEOUT_S, DEFAULT_URL, Connection
from loccit_client.events import EventReader
from loccit_client.filters import Filter
from loccit_client.models import (
    Answer,
    Document,
    GivenDocument,
    Include,
    Index,
    Length,
    Mode,
    Problem,
    Question,
    SearchResult,
    Stage,
)
from loccit_client.responses import json_in, request_id
from loccit_client.retries import pause

Result = TypeVar("Result")


class AsyncClient:
    """Asks the service at ``url``. Close it, or use it in an ``async with`` block.

    ``api_key``: the one that the service wants, if it does. ``timeout``: seconds for each question. ``retries``: how
    often what may succeed a little later is asked again. ``transport``, ``sleep``: for tests.

    Each call raises LoccitClientError, whose text is a sentence; a ProblemError is the server's.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout: float = DEFAULT_TIMEOUT_S,
        retries: int = DEFAULT_RETRIES,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._service = Connection(url, api_key, timeout, retries)
        self._sleep = sleep
        self._http = httpx.AsyncClient(**self._service.options(), transport=transport)

    async def answer(
        self,
        question: str,
        *,
        top_k: int | None = None,
        min_confidence: float | None = None,
        length: Length | None = None,
        documents: Sequence[GivenDocument] | None = None,
        include: Sequence[Include] = (),
        filter: Filter | None = None,
    ) -> Answer:
        """The answer to a question, from the index, where ``filter`` says from which of its documents, or from these
        documents alone. What is None is as the server is set.
        """
        asked = Question(question, top_k, min_confidence, length, tuple(include), filter)
        return await self._result(answer_call(asked, documents))

    async def stream(
        self,
        question: str,
        *,
        top_k: int | None = None,
        min_confidence: float | None = None,
        length: Length | None = None,
        documents: Sequence[GivenDocument] | None = None,
        include: Sequence[Include] = (),
        filter: Filter | None = None,
    ) -> AsyncIterator[Stage | Answer]:
        """A stage whenever one is done, then the answer. Closing the iterator stops the server's work."""
        asked = Question(question, top_k, min_confidence, length, tuple(include), filter)
        async with self._response(stream_call(asked, documents)) as response:
            events = EventReader(request_id(response))
            async for received in response.aiter_bytes():
                for event in events.feed(received):
                    yield event
            events.check_ended()

    async def answers(self, questions: Sequence[str | Question]) -> list[Answer | Problem]:
        """For each question its answer, or the problem with it."""
        return await self._result(answers_call(questions))

    async def search(
        self, query: str, *, k: int | None = None, mode: Mode | None = None, filter: Filter | None = None
    ) -> SearchResult:
        """The passages that are nearest to a query, best first."""
        return await self._result(search_call(query, k=k, mode=mode, only=filter))

    async def check(
        self,
        answer: str = "",
        *,
        question: str = "",
        quotes: Sequence[GivenQuote] = (),
        claims: Sequence[GivenClaim] = (),
        documents: Sequence[GivenDocument] | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> Check:
        """The verdicts on an answer of any system, its quotes and claims, against the index or these documents alone.

        ``sources``: what the answer's marks cite, documents' ids by marks without their brackets.
        """
        call = check_call(
            answer,
            question=question,
            quotes=quotes,
            claims=claims,
            documents=documents,
            sources=sources or {},
        )
        return await self._result(call)

    async def document(self, document_id: str) -> Document:
        """A stored document; DocumentNotFoundError when there is none of this id."""
        return await self._result(document_call(document_id))

    async def index(self) -> Index:
        """The index that answers."""
        return await self._result(index_call())

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _result(self, call: Call[Result]) -> Result:
        async with self._response(call) as response:
            await response.aread()
            return call.read(json_in(response), request_id(response))

    @asynccontextmanager
    async def _response(self, call: Call[Any]) -> AsyncIterator[httpx.Response]:
        """A response that is no error; closed in the end."""
        with self._service.reached():
            async with aclosing(await self._sent(call)) as response:
                with self._service.begun():
                    if response.is_error:
                        await response.aread()
                        json_in(response)
                    yield response

    async def _sent(self, call: Call[Any]) -> httpx.Response:
        """The response to the last attempt; httpx.TransportError when that got none."""
        with self._service.written():
            request = self._http.build_request(**self._service.request(call))
        for attempt in range(self._service.retries):
            try:
                response = await self._http.send(request, stream=True)
            except httpx.TransportError as error:
                wait = pause(error, attempt=attempt)
                if wait is None:
                    raise
            else:
                wait = pause(response, attempt=attempt)
                if wait is None:
                    return response
                await response.aclose()
            await self._sleep(wait)
        return await self._http.send(request, stream=True)
