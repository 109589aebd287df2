"""Reading responses: a result, or the exception that tells the problem."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from loccit_client.decoding import decoded
from loccit_client.errors import ProblemError, UnexpectedResponseError, problem_error
from loccit_client.models import Problem


def json_in(response: httpx.Response) -> Mapping[str, Any]:
    """What a response that has been read says.

    Raises:
        ProblemError: with the server's sentence.
        UnexpectedResponseError: when it is nothing that a Loccit service says.
    """
    if response.is_error:
        raise problem_in(response)
    return object_in(response.content, _whose(response))


def object_in(content: bytes, whose: str) -> Mapping[str, Any]:
    """The JSON object in these bytes; UnexpectedResponseError when it is none."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise UnexpectedResponseError(
            f"{whose} is no Loccit service; give the URL that `loccit serve` prints."
        )
    return data


def problem_in(response: httpx.Response) -> ProblemError:
    """The exception that tells this problem.

    Raises:
        UnexpectedResponseError: with the status, when no Loccit service tells it.
    """
    try:
        problem = decoded(Problem, object_in(response.content, _whose(response)))
    except UnexpectedResponseError as error:
        raise UnexpectedResponseError(
            f"{_whose(response)} refused with the status {response.status_code}, and not as a Loccit service does; see "
            "what stands between, or give the URL that `loccit serve` prints."
        ) from error
    return problem_error(problem, retry_after=retry_after(response))


def _whose(response: httpx.Response) -> str:
    return f"What answers at {str(response.request.url)!r}"


def request_id(response: httpx.Response) -> str | None:
    """What names the request in the service's log."""
    named: str | None = response.headers.get("x-request-id")
    return named


def retry_after(response: httpx.Response) -> float | None:
    """The seconds after which the server wants to be asked again, where it says so."""
    said = response.headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdigit() else None
