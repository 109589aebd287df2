"""Errors as HTTP problems (RFC 9457): every one with a status and one sentence, in this one place."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.http.admission.admin_access import AdminOffError
from app.http.admission.refusals import (
    ForbiddenError,
    RefusedError,
    TooManyRequestsError,
    UnauthorizedError,
    UnknownHostError,
)
from app.http.admission.security_headers import HEADERS
from app.http.changing.change_queue import ChangeNotServedError
from app.http.chat.models import ModelNotFoundError
from app.http.chat.wire import CHAT_SHAPE
from app.http.disconnect import ClientGoneError
from app.http.host import NotReadyError, ReloadRefusedError
from app.http.invalid_request import is_json, sentence_for
from app.http.telemetry.request_id import HEADER, current_request_id
from app.http.wire.answer import ANSWER_SHAPE, BATCH_SHAPE
from app.http.wire.check import CHECK_SHAPE
from app.http.wire.document import DOCUMENT_SHAPE
from app.http.wire.search import SEARCH_SHAPE
from app.http.worker import BusyError, StoppingError
from common.errors import (
    ChangeRefusedError,
    DeadlineExceededError,
    DocumentNotFoundError,
    IndexBusyError,
    IndexNotWritableError,
    InvalidRequestError,
    LanguageModelServerError,
    LoccitError,
)

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER_S = 5

_LOG = logging.getLogger(__name__)
_INTERNAL = "Something went wrong inside the service; its log says what. It is not your request's fault."


@dataclass(frozen=True, slots=True)
class Kind:
    """What an error is called on the wire. ``retry``: the same request may succeed a few seconds later."""

    status: int
    slug: str
    title: str
    retry: bool = False

    @property
    def type(self) -> str:
        """The problem's type: a name, not an address."""
        return f"urn:loccit:problem:{self.slug}"


INVALID_REQUEST = Kind(422, "invalid-request", "The request is not acceptable")
TOO_MANY_CONNECTIONS = Kind(503, "too-many-connections", "Too many connections are open", retry=True)
UNEXPECTED = Kind(500, "unexpected", "The service failed")
KINDS: Mapping[type[LoccitError], Kind] = {
    InvalidRequestError: INVALID_REQUEST,
    DocumentNotFoundError: Kind(404, "document-not-found", "There is no such document"),
    DeadlineExceededError: Kind(504, "deadline-exceeded", "The time allowed ran out"),
    LanguageModelServerError: Kind(
        502, "language-model-server", "The language model's server did not answer"
    ),
    BusyError: Kind(503, "busy", "Too many questions are waiting", retry=True),
    NotReadyError: Kind(503, "not-ready", "The service is not ready", retry=True),
    StoppingError: Kind(503, "stopping", "The service is stopping", retry=True),
    UnauthorizedError: Kind(401, "unauthorized", "An API key is wanted"),
    ForbiddenError: Kind(403, "forbidden", "The API key does not allow this"),
    TooManyRequestsError: Kind(429, "too-many-requests", "The API key was used too often"),
    UnknownHostError: Kind(400, "unknown-host", "The request names another host"),
    AdminOffError: Kind(403, "admin-off", "Administration over HTTP is off"),
    IndexBusyError: Kind(503, "index-busy", "The index is being changed", retry=True),
    IndexNotWritableError: Kind(409, "index-not-writable", "The index cannot be written to"),
    ChangeRefusedError: Kind(409, "change-refused", "The index was not changed"),
    ChangeNotServedError: Kind(409, "change-not-served", "The index was changed but not reloaded"),
    ModelNotFoundError: Kind(404, "model-not-found", "There is no such model"),
    ReloadRefusedError: Kind(409, "reload-refused", "The index was not reloaded"),
    ClientGoneError: Kind(499, "client-gone", "The client has gone"),
    LoccitError: UNEXPECTED,
}
SHAPES = {
    "/answers": BATCH_SHAPE,
    "/check": CHECK_SHAPE,
    "/documents/": DOCUMENT_SHAPE,
    "/v1/chat/completions": CHAT_SHAPE,
}
"""What the body of a route must be, by what its path begins with; the others hold a question."""


def install_problems(app: FastAPI) -> None:
    """From now on every error of this app is answered with a problem."""
    app.add_exception_handler(LoccitError, _known)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def problem(kind: Kind, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The response that carries this problem."""
    retry = {"Retry-After": str(RETRY_AFTER_S)} if kind.retry else {}
    return JSONResponse(
        _document(kind, detail),
        status_code=kind.status,
        headers={**retry, **(headers or {})},
        media_type=PROBLEM_JSON,
    )


def problem_of(error: LoccitError) -> JSONResponse:
    """The response to this error, with the headers that it brings along."""
    return problem(_kind(error), str(error), error.headers if isinstance(error, RefusedError) else None)


def problem_document(error: Exception) -> dict[str, Any]:
    """What an error is told as within a response; an unforeseen one is logged."""
    kind = _kind(error)
    if kind is UNEXPECTED:
        _LOG.error("A question failed unexpectedly", exc_info=error)
        return _document(kind, _INTERNAL)
    return _document(kind, str(error))


def _kind(error: Exception) -> Kind:
    return next((KINDS[cls] for cls in type(error).__mro__ if cls in KINDS), UNEXPECTED)


def _document(kind: Kind, detail: str) -> dict[str, Any]:
    return {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        **_request_id(),
    }


def _request_id() -> dict[str, str]:
    request_id = current_request_id()
    return {} if request_id is None else {"request_id": request_id}


async def _known(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LoccitError)
    return await _unexpected(request, error) if _kind(error) is UNEXPECTED else problem_of(error)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    where = error.errors()[0]["loc"][0]
    errors = [{**each, "loc": each["loc"][1:]} for each in error.errors()]  # counted from what was checked
    if where == "query":
        return problem(INVALID_REQUEST, sentence_for(errors, SEARCH_SHAPE))
    content_type = request.headers.get("content-type", "")
    if not is_json(content_type):
        given = repr(content_type[:100]) if content_type else "no content type"
        return status_problem(415, f"The body must be sent as 'application/json', but it came with {given}.")
    shape = SHAPES.get(request.scope["route"].path.partition("{")[0], ANSWER_SHAPE)
    return problem(INVALID_REQUEST, sentence_for(errors, shape))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods(request)):
        headers = {**headers, "Allow": ", ".join(methods)}
    return status_problem(error.status_code, _http_sentence(request, error, headers), headers)


def _methods(request: Request) -> list[str]:
    """The methods that are described at this path: the framework names those of the first of its routes alone."""
    route = request.scope.get("route")
    described = request.app.openapi()["paths"].get(getattr(route, "path_format", None), {})
    methods = {method.upper() for method in described}
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


def _http_sentence(request: Request, error: HTTPException, headers: Mapping[str, str]) -> str:
    path = repr(request.url.path[:200])
    if error.status_code == HTTPStatus.NOT_FOUND:
        return f"There is nothing at {path}; /openapi.json says what there is."
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = headers.get("Allow", "another method")
        return f"{request.method} is not possible at {path}; use {allowed}."
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return _unreadable(error.__cause__)
    return error.detail


def _unreadable(error: BaseException | None) -> str:
    """What is wrong with a body that is no JSON for another reason than its grammar."""
    if isinstance(error, RecursionError):
        return (
            "The body nests lists or objects too deeply to be read; no request needs more than a few levels."
        )
    if isinstance(error, ValueError) and not isinstance(error, UnicodeError):
        return "The body holds a whole number of too many digits to be read; write a shorter one."
    return "The body cannot be read as JSON in UTF-8."


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _LOG.error("%s %s failed unexpectedly", request.method, request.url.path, exc_info=error)
    # the error has left the middleware that adds them
    return problem(UNEXPECTED, _INTERNAL, {**HEADERS, HEADER: current_request_id() or "-"})


def status_problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem that HTTP's own status names well enough (RFC 9457, section 4.2.1)."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **_request_id(),
    }
    return JSONResponse(body, status_code=status, headers=dict(headers or {}), media_type=PROBLEM_JSON)
