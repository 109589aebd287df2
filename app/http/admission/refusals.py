"""Why a request is turned away before anybody looks at what it asks."""

from collections.abc import Mapping

from common.errors import LoccitError


class RefusedError(LoccitError):
    """A request is turned away; ``headers`` tell its client how to come back."""

    headers: Mapping[str, str] = {}


class UnauthorizedError(RefusedError):
    """No API key came with the request, or one that is not known."""

    headers: Mapping[str, str] = {"WWW-Authenticate": "Bearer"}


class ForbiddenError(RefusedError):
    """The API key does not allow this."""


class TooManyRequestsError(RefusedError):
    """The API key was used more often than it may be."""

    def __init__(self, sentence: str, *, retry_after_s: int) -> None:
        super().__init__(sentence)
        self.headers = {"Retry-After": str(retry_after_s)}


class UnknownHostError(RefusedError):
    """The request names a host that this service does not answer for."""
