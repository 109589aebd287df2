"""A limit on the length of addresses."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.problems import status_problem

MAX_ADDRESS_BYTES = 32_768
"""Of path and query, as sent: the longest question and the longest id fit, percent-encoded."""


class AddressLimit:
    """Refuses a longer address with 414."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and len(scope["raw_path"]) + len(scope["query_string"]) > MAX_ADDRESS_BYTES
        ):
            sentence = f"The address is longer than {MAX_ADDRESS_BYTES:,} bytes; ask with POST /answer."
            await status_problem(414, sentence)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
