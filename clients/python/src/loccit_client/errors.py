"""What may go wrong, each with a sentence."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loccit_client.models import Problem


class LoccitClientError(Exception):
    """Whatever goes wrong here; its text is a sentence."""


class QuoteMismatchError(LoccitClientError):
    """A quote does not stand where it should."""


class UnreachableError(LoccitClientError):
    """No server answered, not in time, or not to the end."""


class UnexpectedResponseError(LoccitClientError):
    """What answered is no Loccit service, or one that speaks otherwise."""


class ProblemError(LoccitClientError):
    """The server refused or failed. ``retry_after``: the seconds after which to ask again, where it says so."""

    def __init__(self, problem: Problem, *, retry_after: float | None = None) -> None:
        super().__init__(problem.detail)
        self.problem = problem
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[Any, ...]:
        """Copied and pickled whole, so that it may come from another process."""
        return partial(type(self), retry_after=self.retry_after), (self.problem,)


class InvalidRequestError(ProblemError):
    """The request is not acceptable (400, 413, 415, 422)."""


class UnauthorizedError(ProblemError):
    """An API key is wanted, or another one (401)."""


class ForbiddenError(ProblemError):
    """The API key does not allow this (403)."""


class DocumentNotFoundError(ProblemError):
    """There is no such document (404)."""


class TooManyRequestsError(ProblemError):
    """The API key was used too often (429)."""


class BusyError(ProblemError):
    """The service is not ready, is stopping, or too many wait (503)."""


class DeadlineExceededError(ProblemError):
    """There was no answer within the time that the server allows (504)."""


_BY_STATUS: dict[int, type[ProblemError]] = {
    400: InvalidRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: DocumentNotFoundError,
    413: InvalidRequestError,
    415: InvalidRequestError,
    422: InvalidRequestError,
    429: TooManyRequestsError,
    503: BusyError,
    504: DeadlineExceededError,
}


def problem_error(problem: Problem, *, retry_after: float | None = None) -> ProblemError:
    """The exception that carries this problem."""
    return _BY_STATUS.get(problem.status, ProblemError)(problem, retry_after=retry_after)
