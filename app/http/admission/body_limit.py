"""A limit on request bodies: on what is announced, and on what comes in."""

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.problems import status_problem


class BodyLimit:
    """Refuses a body above ``max_bytes`` with 413: at once where its length is announced, else once more has come."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app, self._max_bytes = app, max_bytes
        self._sentence = f"The body is larger than {max_bytes:,} bytes; hand in fewer or shorter documents."

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif int(Headers(scope=scope).get("content-length", "0")) > self._max_bytes:  # the server has read it
            await status_problem(413, self._sentence)(scope, receive, send)
        else:
            await self._app(scope, self._limited(receive), send)

    def _limited(self, receive: Receive) -> Receive:
        received = 0

        async def limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(413, self._sentence)
            return message

        return limited
