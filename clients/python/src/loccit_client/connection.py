"""What both clients need to know of the service: its address, its key, and how patient they are."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from loccit_client.calls import Call
from loccit_client.errors import LoccitClientError, UnreachableError

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_TIMEOUT_S = 60.0
DEFAULT_RETRIES = 2


@dataclass(frozen=True, slots=True)
class Connection:
    """A service. ``timeout``: seconds for each question. ``retries``: how often a request is sent again at most."""

    url: str
    api_key: str | None
    timeout: float
    retries: int

    def options(self) -> dict[str, Any]:
        """How httpx shall connect.

        Raises:
            LoccitClientError: when address or key cannot be one.
        """
        url = self.url if "://" in self.url else f"http://{self.url}"
        try:
            base = httpx.URL(url.rstrip("/"))
        except (httpx.InvalidURL, UnicodeError) as error:
            raise LoccitClientError(
                f"The URL {self.url!r} is none of a server ({error}); give one such as {DEFAULT_URL}."
            ) from error
        return {"base_url": base, "headers": self._headers()}

    def request(self, call: Call[Any]) -> dict[str, Any]:
        """What httpx shall send."""
        return {
            "method": call.method,
            "url": call.path,
            "json": call.body,
            "params": call.params,
            "timeout": httpx.Timeout(self.timeout * call.questions, connect=min(self.timeout, 10.0)),
        }

    @contextmanager
    def written(self) -> Iterator[None]:
        """LoccitClientError in the place of what cannot be sent: half a character, or what is no number."""
        try:
            yield
        except ValueError as error:
            raise LoccitClientError(f"What is asked cannot be sent ({error}); ask without that.") from error

    @contextmanager
    def reached(self) -> Iterator[None]:
        """UnreachableError in the place of what httpx raises within: no response came."""
        with self._told(f"No server answers at {self.url!r}", "start one, or give another URL"):
            yield

    @contextmanager
    def begun(self) -> Iterator[None]:
        """The same once a response has begun: it broke off."""
        with self._told(f"The response of the server at {self.url!r} broke off", "ask again"):
            yield

    @contextmanager
    def _told(self, what: str, remedy: str) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as error:
            raise UnreachableError(
                f"The server at {self.url!r} did not answer within {self.timeout:g} seconds for each question; give it "
                "a longer timeout."
            ) from error
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise UnreachableError(f"{what} ({error}); {remedy}.") from error

    def _headers(self) -> Mapping[str, str]:
        if self.api_key is None:
            return {}
        key = self.api_key.strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise LoccitClientError("The API key holds characters that no API key has; copy it again.")
        return {"Authorization": f"Bearer {key}"}
