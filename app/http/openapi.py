"""The service's description of itself (OpenAPI)."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from app.http import examples
from app.http.wire import Problem

DESCRIPTION = """
Loccit answers questions from the documents of its owner and quotes, word for word, what supports each answer.
It says how sure it is, and abstains when it is not sure enough.

Every error is an `application/problem+json` with one sentence in `detail`.
"""

TAGS = [
    {"name": "answering", "description": "Questions in, answers with quotes out."},
    {"name": "documents", "description": "The texts that quotes stand in."},
    {"name": "admin", "description": "For the operator; off unless the setting `admin` allows it."},
    {"name": "health", "description": "For whoever runs the service."},
]

_REASONS = {
    400: "The body is not readable text.",
    403: "The operator has not allowed it.",
    404: "No document has this id.",
    409: "The index that is current now cannot be served; the one before serves on.",
    413: "The body is too large.",
    415: "The body is not sent as JSON.",
    422: "A field is missing, unknown or out of range, or the body is not JSON.",
    500: "The service failed.",
    503: "Not ready yet, or too many questions are waiting: `Retry-After` says how many seconds to wait.",
    504: "There was no answer within the time allowed.",
}


class DescribedApp(FastAPI):
    """An app whose description holds examples, and the schema of problems, which no route returns by itself."""

    def openapi(self) -> dict[str, Any]:
        """The description; made once."""
        if self.openapi_schema is None:
            schemas = super().openapi()["components"]["schemas"]
            schemas["Problem"] = Problem.model_json_schema()
            for name, given in examples.BY_SCHEMA.items():
                schemas[name]["examples"] = given
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
        return super().openapi()


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
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        described["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}
    return described
