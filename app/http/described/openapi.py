"""The service's description of itself (OpenAPI)."""

from collections.abc import Collection, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI

from app.http.chat.described import describe_chat_errors
from app.http.chat.examples import CHAT_REQUEST, COMPLETION
from app.http.chat.wire import OpenAIError
from app.http.described import examples
from app.http.wire.answer import QuestionToAnswer

DESCRIPTION = """
Loccit answers questions from the documents of its owner and quotes, word for word, what supports each answer.
It says how sure it is, and abstains when it is not sure enough.

Every error is an `application/problem+json` with one sentence in `detail`; under `/v1/` it has the shape of OpenAI's.
"""

TAGS = [
    {"name": "answering", "description": "Questions in, answers with quotes out."},
    {"name": "chat", "description": "The same for programs that speak OpenAI's chat completions."},
    {
        "name": "checking",
        "description": "Answers of other systems in, verdicts on their quotes and claims out.",
    },
    {"name": "documents", "description": "The texts that quotes stand in."},
    {
        "name": "admin",
        "description": "For the operator: with an admin key, or, without keys, if the setting `admin` allows it.",
    },
    {"name": "health", "description": "For whoever runs the service."},
]

_REASONS = {
    400: "The body is not readable text.",
    401: "No API key came with the request, or one that is not known.",
    403: "The operator has not allowed it, or the API key does not.",
    404: "There is no document, or no model, of this name.",
    409: "The index cannot be changed, or what is current now cannot be served; what was served serves on.",
    413: "The body is too large.",
    415: "The body is not sent as JSON.",
    422: "A field or parameter is missing, unknown or out of range, or the body is not JSON.",
    429: "The API key was used more often than it may be: `Retry-After` says how many seconds to wait.",
    500: "The service failed.",
    502: "The server of the language model cannot be reached, refuses, or sends what cannot be read.",
    503: "Not ready yet, or too many questions are waiting: `Retry-After` says how many seconds to wait.",
    504: "There was no answer within the time allowed.",
}


_EXAMPLES = {**examples.BY_SCHEMA, "ChatRequest": [CHAT_REQUEST], "ChatCompletion": [COMPLETION]}
_REF = "#/components/schemas/{model}"

_SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key that `loccit keys add` made."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key."},
}


class DescribedApp(FastAPI):
    """An app whose description holds examples, and the schema of a batch's questions, which are checked one by one.

    ``open_without_key``: paths that need no API key where the others do. None: there are no keys.
    ``max_items``: of lists in requests, by schema and field, where a setting says how many are accepted.
    """

    open_without_key: Collection[str] | None = None
    max_items: Mapping[tuple[str, str], int] = MappingProxyType({})

    def openapi(self) -> dict[str, Any]:
        """The description; made once."""
        if self.openapi_schema is None:
            description = super().openapi()
            description["components"]["securitySchemes"] = _SECURITY_SCHEMES
            if self.open_without_key is not None:
                _describe_keys(description, self.open_without_key)
            schemas = description["components"]["schemas"]
            schemas["QuestionToAnswer"] = QuestionToAnswer.model_json_schema()
            schemas["BatchRequest"]["properties"]["questions"]["items"] = {
                "$ref": "#/components/schemas/QuestionToAnswer"
            }
            for (name, field), most in self.max_items.items():
                _list_of(schemas[name]["properties"][field])["maxItems"] = most
            schemas["OpenAIError"] = OpenAIError.model_json_schema(ref_template=_REF)
            schemas.update(schemas["OpenAIError"].pop("$defs"))
            describe_chat_errors(description)
            for name, given in _EXAMPLES.items():
                schemas[name]["examples"] = given
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
        return super().openapi()


def _list_of(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of the list in this one, which may also allow null."""
    return next(each for each in schema.get("anyOf", [schema]) if each["type"] == "array")


def _describe_keys(description: dict[str, Any], opened: Collection[str]) -> None:
    """Every route wants a key, sent one way or the other, but for those that are open."""
    description["security"] = [{name: []} for name in _SECURITY_SCHEMES]
    for path, operations in description["paths"].items():
        for operation in operations.values():
            if path in opened:
                operation["security"] = []
            else:
                added = {str(status): _problem(_REASONS[status], status) for status in (401, 429)}
                operation["responses"] = {**operation["responses"], **added}


def described_events() -> dict[int | str, dict[str, Any]]:
    """The description of a stream of events, for a route."""
    return {
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}, "example": examples.EVENTS}}}
    }


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The description of these error responses, for a route."""
    return {
        **{status: _problem(_REASONS[status], status) for status in statuses},
        "default": _problem("Any other error.", 500),
    }


def _problem(reason: str, status: int) -> dict[str, Any]:
    example = examples.PROBLEMS.get(status, examples.PROBLEMS[500])
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    described: dict[str, Any] = {"description": reason, "content": {"application/problem+json": content}}
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        described["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return described
