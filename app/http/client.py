"""Asking a running server over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from app.service.ask import Ask
from app.service.response import AnswerResponse
from common.errors import DocumentNotFoundError, LoccitError

TIMEOUT_S = 120.0

_NO_DOCUMENT = "urn:loccit:problem:document-not-found"


def ask_server(url: str, ask: Ask, *, api_key: str | None = None) -> AnswerResponse:
    """The server's response to a question. ``api_key``: the one that the server wants, if it does.

    Raises:
        LoccitError: with the server's own sentence when it refuses, or with what is wrong with the address.
    """
    url, headers = address_of(url), headers_with(api_key)
    with told_in_sentences(url):
        response = httpx.post(f"{url}/answer", json=fields_of(ask), headers=headers, timeout=TIMEOUT_S)
        return AnswerResponse.model_validate(body_of(response, url))


def address_of(url: str) -> str:
    """The server's address, with its scheme and without a slash at its end."""
    return (url if "://" in url else f"http://{url}").rstrip("/")


def fields_of(ask: Ask) -> dict[str, Any]:
    """The body of POST /answer for this question, without documents."""
    body = {
        "question": ask.question,
        "top_k": ask.top_k,
        "min_confidence": ask.min_confidence,
        "length": ask.length,
        "filter": None if ask.filter is None else ask.filter.as_json(),
    }
    return {name: value for name, value in body.items() if value is not None}


def headers_with(api_key: str | None) -> dict[str, str]:
    """What a request brings along; LoccitError for what cannot be an API key."""
    api_key = (api_key or "").strip()
    if not api_key:
        return {}
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise LoccitError("The key in LOCCIT_API_KEY holds characters that no API key has; copy it again.")
    return {"Authorization": f"Bearer {api_key}"}


def body_of(response: httpx.Response, url: str) -> Any:  # noqa: ANN401 - any JSON value
    """What a response says.

    Raises:
        ValueError: when it is no JSON.
        DocumentNotFoundError, LoccitError: with the server's sentence when it refuses.
    """
    body: Any = response.json()
    if not response.is_error:
        return body
    problem = body if isinstance(body, dict) else {}
    kind = DocumentNotFoundError if problem.get("type") == _NO_DOCUMENT else LoccitError
    raise kind(
        str(problem.get("detail") or f"The server at {url!r} answered with status {response.status_code}.")
    )


@contextmanager
def told_in_sentences(url: str) -> Iterator[None]:
    """Whatever goes wrong within, between here and a server, is a LoccitError that says what to do."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise LoccitError(
            f"No Loccit server answers at {url!r} ({error}); start one with `loccit serve`, or give another URL."
        ) from error
    except ValueError as error:
        raise LoccitError(
            f"What answers at {url!r} is not a Loccit server; give the URL that `loccit serve` prints."
        ) from error
