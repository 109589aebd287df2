"""Work for a client that may hang up: it ends when the client has gone."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from common.errors import LoccitError

Result = TypeVar("Result")


class ClientGoneError(LoccitError):
    """The client closed the connection before its answer was there."""


async def unless_disconnected(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """What ``work`` returns; it is cancelled when the client disconnects first. The body must be read already.

    Raises:
        ClientGoneError: when the client disconnected.
    """
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGoneError("The client closed the connection before its answer was there.")
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
