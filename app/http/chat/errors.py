"""Errors of the chat routes in the shape that OpenAI's clients read, whoever they come from."""

import json
from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.problems import PROBLEM_JSON, problem_document

CHAT_PATHS: Final = "/v1/"
"""What the addresses of these routes begin with."""

_OWN_NAMES = {"unauthorized": "invalid_api_key", "too-many-requests": "rate_limit_exceeded"}
_TOO_MANY_REQUESTS, _INVALID, _FAILED, _OUT_OF_TIME = 429, 400, 500, 504
_STATUSES = {422: _INVALID}


def error_document(problem: Mapping[str, Any]) -> dict[str, Any]:
    """The same problem as OpenAI's clients read it. Its code is theirs where they have one, else the problem's."""
    name = problem["type"].rpartition(":")[2]
    named = problem["title"] if name == "blank" else name
    code = _OWN_NAMES.get(name, named.lower().replace(" ", "_").replace("-", "_"))
    kind = "server_error" if problem["status"] >= _FAILED else "invalid_request_error"
    if problem["status"] == _TOO_MANY_REQUESTS:
        kind = "rate_limit_error"
    return {"error": {"message": problem["detail"], "type": kind, "param": None, "code": code}}


class OpenAIErrors:
    """Turns the problems of the chat routes into their clients' errors; other routes are left as they are.

    What is not acceptable has status 400 there, not 422.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(CHAT_PATHS):
            await _Translated(send).run(self._app, scope, receive)
        else:
            await self._app(scope, receive, send)


class _Translated:
    """One response on its way out."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._begun = False
        self._start: Message | None = None
        self._body = b""

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive) -> None:
        try:
            await app(scope, receive, self._pass_on)
        except Exception as error:
            if self._begun:
                raise
            await _response(problem_document(error))(scope, receive, self._send)

    async def _pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_problem(message):
            self._start = message
        elif self._start is None:
            self._begun = True
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_translated(self._start)

    async def _send_translated(self, start: Message) -> None:
        response = _response(json.loads(self._body))
        headers = MutableHeaders(raw=list(start["headers"]))
        headers.update(response.headers)
        self._begun = True
        await self._send({**start, "status": response.status_code, "headers": headers.raw})
        await self._send({"type": "http.response.body", "body": response.body})


def _is_problem(start: Message) -> bool:
    return MutableHeaders(raw=list(start["headers"])).get("content-type") == PROBLEM_JSON


def _response(problem: Mapping[str, Any]) -> JSONResponse:
    status = _STATUSES.get(problem["status"], problem["status"])
    # asked again at once, it would take as long: OpenAI's clients heed this
    headers = {"x-should-retry": "false"} if status == _OUT_OF_TIME else {}
    return JSONResponse(error_document(problem), status_code=status, headers=headers)
