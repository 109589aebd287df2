"""Who may ask: the API key that comes with a request, and what is open without one."""

import logging
import math
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.admission.rate_limit import TokenBucket
from app.http.admission.refusals import RefusedError, TooManyRequestsError, UnauthorizedError
from app.http.problems import problem_of
from app.service.api_keys import ApiKey, KeyFileError, KeyRing
from common.wording import counted

OPEN_PATHS = ("/", "/health/live", "/health/ready")
"""Open without a key: the page, which asks for one, and what watches the process."""

_OPEN_FOLDER = "/web/"
_LOG = logging.getLogger(__name__)


class KeyGate:
    """The keys of a file, read again whenever it changes, with how often each was used.

    A file that cannot be read lets nobody in until it can; the log says so once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = ()
        self._ring = KeyRing(())
        self._buckets: dict[tuple[str, int], TokenBucket] = {}

    def admit(self, secret: str | None) -> ApiKey:
        """The key that this is.

        Raises:
            UnauthorizedError: when there is none, or it is not known.
            TooManyRequestsError: when it was used more often than it may be.
        """
        if secret is None:
            raise UnauthorizedError(
                "This service wants an API key; send one as 'Authorization: Bearer KEY' or as 'X-API-Key: KEY'."
            )
        key = self._current_ring().owner_of(secret)
        if key is None:
            raise UnauthorizedError(
                "The API key is not one that this service knows; ask its operator for one."
            )
        if key.per_minute is not None and (wait := self._bucket(key, key.per_minute).take()) > 0:
            raise TooManyRequestsError(
                f"The key {key.name!r} allows {counted(key.per_minute, 'request')} a minute; wait for "
                f"{counted(math.ceil(wait), 'second')}.",
                retry_after_s=math.ceil(wait),
            )
        return key

    def _current_ring(self) -> KeyRing:
        seen = self._look()
        if seen != self._seen:
            self._seen = seen
            try:
                self._ring = KeyRing.load(self._path)
            except KeyFileError as error:
                self._ring = KeyRing(())
                _LOG.error("Nobody is let in: %s", error)
            known = {key.sha256 for key in self._ring.keys}
            self._buckets = {place: bucket for place, bucket in self._buckets.items() if place[0] in known}
        return self._ring

    def _look(self) -> tuple[int, ...] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size

    def _bucket(self, key: ApiKey, per_minute: int) -> TokenBucket:
        place = (key.sha256, per_minute)
        if place not in self._buckets:
            self._buckets[place] = TokenBucket(per_minute)
        return self._buckets[place]


class ApiKeys:
    """Turns away every request without a key that the gate admits, but for what is open."""

    def __init__(self, app: ASGIApp, *, gate: KeyGate, open_paths: tuple[str, ...]) -> None:
        self._app, self._gate, self._open = app, gate, open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._is_open(scope["path"]):
            try:
                key = self._gate.admit(_sent(Headers(scope=scope)))
            except RefusedError as error:
                await problem_of(error)(scope, receive, send)
                return
            scope["state"]["key"] = key
        await self._app(scope, receive, send)

    def _is_open(self, path: str) -> bool:
        return path in self._open or path.startswith(_OPEN_FOLDER)


def _sent(headers: Headers) -> str | None:
    scheme, _, secret = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret.strip():
        return secret.strip()
    return headers.get("x-api-key")
