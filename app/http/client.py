"""Asking a running server over HTTP."""

from typing import Any

import httpx

from app.service.ask import Ask
from app.service.response import AnswerResponse
from common.errors import LoccitError

_TIMEOUT_S = 120.0


def ask_server(url: str, ask: Ask, *, api_key: str | None = None) -> AnswerResponse:
    """The server's response to a question. ``api_key``: the one that the server wants, if it does.

    Raises:
        LoccitError: with the server's own sentence when it refuses, or with what is wrong with the address.
    """
    url = url if "://" in url else f"http://{url}"
    body = {
        "question": ask.question,
        "top_k": ask.top_k,
        "min_confidence": ask.min_confidence,
        "length": ask.length,
        "filter": None if ask.filter is None else ask.filter.as_json(),
    }
    given = {name: value for name, value in body.items() if value is not None}
    try:
        response = httpx.post(
            f"{url.rstrip('/')}/answer", json=given, headers=_headers(api_key), timeout=_TIMEOUT_S
        )
        answer: Any = response.json()
        if not response.is_error:
            return AnswerResponse.model_validate(answer)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise LoccitError(
            f"No Loccit server answers at {url!r} ({error}); start one with `loccit serve`, or give another URL."
        ) from error
    except ValueError as error:
        raise LoccitError(
            f"What answers at {url!r} is not a Loccit server; give the URL that `loccit serve` prints."
        ) from error
    detail = answer.get("detail") if isinstance(answer, dict) else None
    raise LoccitError(str(detail or f"The server at {url!r} answered with status {response.status_code}."))


def _headers(api_key: str | None) -> dict[str, str]:
    api_key = (api_key or "").strip()
    if not api_key:
        return {}
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise LoccitError("The key in LOCCIT_API_KEY holds characters that no API key has; copy it again.")
    return {"Authorization": f"Bearer {api_key}"}
