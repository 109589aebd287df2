"""Clients that adapters keep from one question to the next, because making one costs more than asking."""

import asyncio
from threading import Lock
from typing import TypedDict
from weakref import WeakKeyDictionary, finalize

from loccit_client.async_client import AsyncClient
from loccit_client.client import Client


class Connecting(TypedDict):
    """How a client is made."""

    url: str
    api_key: str | None
    timeout: float
    retries: int


class KeptClients:
    """A client that waits, made when it is first asked for, and one for each event loop, which cannot share.

    The one that waits is closed with its owner; those of event loops by ``aclose``.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: Client | None = None
        self._of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, AsyncClient] = WeakKeyDictionary()

    def waiting(self, connecting: Connecting) -> Client:
        """The client that waits."""
        with self._lock:
            if self._waiting is None:
                self._waiting = Client(**connecting)
                finalize(self, self._waiting.close)
            return self._waiting

    def of_this_loop(self, connecting: Connecting) -> AsyncClient:
        """The client of the event loop that runs."""
        loop = asyncio.get_running_loop()
        with self._lock:
            client = self._of_loops.get(loop)
            if client is None:
                client = self._of_loops[loop] = AsyncClient(**connecting)
            return client

    def close(self) -> None:
        """Close the client that waits."""
        with self._lock:
            client, self._waiting = self._waiting, None
        if client is not None:
            client.close()

    async def aclose(self) -> None:
        """Close both, of the event loop that runs."""
        self.close()
        with self._lock:
            client = self._of_loops.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()
