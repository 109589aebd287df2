"""Every request as it went, told to whoever counts or logs requests."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NO_ROUTE = "none"
"""The route of a request that no route took: its path is unknown, or it was refused before."""

_FAILED = 500
_CLIENT_GONE = 499


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that is over. ``route``: the template of its path. ``seconds``: until all of its response was sent.

    ``path`` is what the client wrote, without its query, which may hold a question. ``key``: the name of the API key
    that came with it.
    """

    method: str
    route: str
    path: str
    status: int
    seconds: float
    client: str | None
    key: str | None


class Watch:
    """Tells each of ``watchers`` about every request that is over. ``during``: entered while one is under way."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        during: Callable[[], AbstractContextManager[object]],
        watchers: tuple[Callable[[Answered], None], ...],
    ) -> None:
        self._app, self._during, self._watchers = app, during, watchers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), _CLIENT_GONE

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        scope.setdefault("state", {})
        try:
            with self._during():
                await self._app(scope, receive, sent)
        except Exception:
            status = _FAILED
            raise
        finally:
            over = _answered(scope, status, time.perf_counter() - started)
            for tell in self._watchers:
                tell(over)


def _answered(scope: Scope, status: int, seconds: float) -> Answered:
    client = scope.get("client")
    return Answered(
        method=scope["method"],
        route=_route(scope),
        path=scope["path"],
        status=status,
        seconds=seconds,
        client=client[0] if client else None,
        key=_key_name(scope),
    )


def _route(scope: Scope) -> str:
    route = scope.get("route")
    if route is not None:
        return str(route.path_format)
    mounted = scope.get("root_path", "").removeprefix(scope.get("app_root_path", ""))
    return mounted or NO_ROUTE


def _key_name(scope: Scope) -> str | None:
    key = scope["state"].get("key")
    return None if key is None else key.name
