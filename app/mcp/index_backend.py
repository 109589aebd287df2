"""Tools that answer from an index of this machine, with the models in this process."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.http.host import Host
from app.http.wire.check import CheckRequest
from app.service.ask import Ask
from app.service.check import CheckResponse
from app.service.response import AnswerResponse, DocumentResponse
from app.service.search import SearchResponse
from retriever.types import RetrievalMode

_LOG = logging.getLogger(__name__)


class IndexBackend:
    """The host of a service. It loads beside: who asks before it is ready waits for it."""

    def __init__(self, host: Host, loading: asyncio.Task[None]) -> None:
        self._host, self._loading = host, loading

    async def answer(self, ask: Ask) -> AnswerResponse:
        await self._loaded()
        return await self._host.answer(ask)

    async def search(self, query: str, *, k: int, mode: RetrievalMode | None = None) -> SearchResponse:
        await self._loaded()
        return await self._host.search(query, k=k, mode=mode, asked=None, allowed=None)

    async def document(self, document_id: str) -> DocumentResponse:
        await self._loaded()
        return await asyncio.to_thread(self._host.document, document_id, allowed=None)

    async def check(self, asked: CheckRequest) -> CheckResponse:
        await self._loaded()
        return await self._host.check(asked.asked_with(self._host.settings), allowed=None)

    async def _loaded(self) -> None:
        """Raises what loading raised."""
        await asyncio.shield(self._loading)


@asynccontextmanager
async def index_backend(host: Host) -> AsyncIterator[IndexBackend]:
    """The backend that asks this host, which works until the tools are served no more."""
    host.start()
    loading = asyncio.create_task(_load(host))
    try:
        yield IndexBackend(host, loading)
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        await asyncio.to_thread(host.close)


async def _load(host: Host) -> None:
    try:
        await host.load()
    except Exception as error:  # the tools say it, too, whenever they are called
        _LOG.critical("The index cannot be asked: %s", error)
        raise
    _LOG.info("Ready to answer.")
