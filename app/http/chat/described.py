"""The chat routes in the service's description: their errors as their clients get them."""

from http import HTTPStatus
from typing import Any

from app.http.chat.errors import CHAT_PATHS
from app.http.chat.examples import CHUNKS, ERRORS

_ERROR = {"$ref": "#/components/schemas/OpenAIError"}
_UNACCEPTABLE = str(HTTPStatus.UNPROCESSABLE_ENTITY.value)
_BAD = str(HTTPStatus.BAD_REQUEST.value)


def described_chunks() -> dict[int | str, dict[str, Any]]:
    """The description of a response that may be a stream of chunks, for a route."""
    content = {"text/event-stream": {"schema": {"type": "string"}, "example": CHUNKS}}
    return {200: {"content": content}}


def describe_chat_errors(description: dict[str, Any]) -> None:
    """Put their errors in the place of the problems that the chat routes are described with."""
    for path, operations in description["paths"].items():
        if path.startswith(CHAT_PATHS):
            for operation in operations.values():
                operation["responses"] = _translated(operation["responses"])


def _translated(responses: dict[str, Any]) -> dict[str, Any]:
    merged = dict(responses)
    if _UNACCEPTABLE in merged:
        merged[_BAD] = merged.pop(_UNACCEPTABLE)
    return {
        name: told if name == "200" else {**told, "content": {"application/json": _error(name)}}
        for name, told in merged.items()
    }


def _error(status: str) -> dict[str, Any]:
    shown = {_BAD: HTTPStatus.UNPROCESSABLE_ENTITY.value, "default": HTTPStatus.INTERNAL_SERVER_ERROR.value}
    return {"schema": _ERROR, "example": ERRORS[shown.get(status) or int(status)]}
