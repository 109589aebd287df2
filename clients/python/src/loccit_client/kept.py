"""Clients that adapters keep from one question to the next, because making one costs more than asking."""

import asyncio
from collections.abc import AsyncGenerator
from threading import Lock
from typing import Any, NamedTuple, TypedDict
from weakref import finalize

from loccit_client.async_client import AsyncClient
from loccit_client.client import Client


class Connecting(TypedDict):
    """How a client is made."""

    url: str
    api_key: str | None
    timeout: float
    retries: int


class _OfLoop(NamedTuple):
    """A client of an event loop, and what keeps it open."""

    client: AsyncClient
    open: AsyncGenerator[AsyncClient, None]


class KeptClients:
    """A client that waits, made when it is first asked for, and one for each event loop, which cannot share.

    Each is closed with its owner, one of an event loop also when that loop ends, as that of ``asyncio.run`` does.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: Client | None = None
        self._end_waiting: finalize[Any, Any] | None = None
        self._of_loops: dict[asyncio.AbstractEventLoop, _OfLoop] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Copied and pickled without its clients: a copy makes its own."""
        return type(self), ()

    def waiting(self, connecting: Connecting) -> Client:
        """The client that waits."""
        with self._lock:
            if self._waiting is None:
                self._waiting = Client(**connecting)
                self._end_waiting = finalize(self, self._waiting.close)
            return self._waiting

    async def of_this_loop(self, connecting: Connecting) -> AsyncClient:
        """The client of the event loop that runs."""
        loop = asyncio.get_running_loop()
        with self._lock:
            kept = self._of_loops.get(loop)
        if kept is None:
            opened = _opened(connecting)
            kept = _OfLoop(await anext(opened), opened)
            with self._lock:
                # one of a loop that was closed holds that loop, and its sockets where the loop did not end as it should
                living = {each: of for each, of in self._of_loops.items() if not each.is_closed()}
                self._of_loops = {**living, loop: kept}
        return kept.client

    def close(self) -> None:
        """Close the client that waits."""
        with self._lock:
            end, self._waiting, self._end_waiting = self._end_waiting, None, None
        if end is not None:
            end()

    async def aclose(self) -> None:
        """Close both, of the event loop that runs."""
        self.close()
        with self._lock:
            kept = self._of_loops.pop(asyncio.get_running_loop(), None)
        if kept is not None:
            await kept.open.aclose()


async def _opened(connecting: Connecting) -> AsyncGenerator[AsyncClient, None]:
    """A client, until this is closed: by whoever holds it, by its event loop at its end, or when nobody holds it."""
    async with AsyncClient(**connecting) as client:
        yield client
