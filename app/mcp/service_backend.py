"""Tools that forward to a service that runs already."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from app.http.client import TIMEOUT_S, address_of, body_of, fields_of, headers_with, told_in_sentences
from app.http.wire.check import CheckRequest
from app.service.ask import Ask
from app.service.check import CheckResponse
from app.service.response import AnswerResponse, DocumentResponse
from app.service.search import SearchResponse
from retriever.types import RetrievalMode

Told = TypeVar("Told", bound=BaseModel)


class ServiceBackend:
    """A client of the service at ``url``."""

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url, self._client = url, client

    async def answer(self, ask: Ask) -> AnswerResponse:
        return await self._asked(AnswerResponse, "POST", "/answer", json=fields_of(ask))

    async def search(self, query: str, *, k: int, mode: RetrievalMode | None = None) -> SearchResponse:
        params: dict[str, Any] = {"q": query, "k": k, **({} if mode is None else {"mode": mode.value})}
        return await self._asked(SearchResponse, "GET", "/search", params=params)

    async def document(self, document_id: str) -> DocumentResponse:
        return await self._asked(DocumentResponse, "GET", f"/documents/{quote(document_id, safe='')}")

    async def check(self, asked: CheckRequest) -> CheckResponse:
        body = asked.model_dump(mode="json", exclude_defaults=True)
        return await self._asked(CheckResponse, "POST", "/check", json=body)

    async def _asked(self, kind: type[Told], method: str, path: str, **given: Any) -> Told:  # noqa: ANN401
        with told_in_sentences(self._url):
            response = await self._client.request(method, f"{self._url}{path}", **given)
            return kind.model_validate(body_of(response, self._url))


@asynccontextmanager
async def service_backend(url: str, *, api_key: str | None) -> AsyncIterator[ServiceBackend]:
    """The backend that forwards to this address. ``api_key``: the one that the service wants, if it does."""
    async with httpx.AsyncClient(headers=headers_with(api_key), timeout=TIMEOUT_S) as client:
        yield ServiceBackend(address_of(url), client)
