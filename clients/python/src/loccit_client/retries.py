"""When a request is sent again, and how long before that."""

import httpx

from loccit_client.responses import retry_after

LONGEST_WAIT_S = 60.0
"""Where a server wants more, the error is raised at once."""

_FIRST_WAIT_S = 0.5
_LATER = {429, 503}
# nothing was begun, or the connection broke: every call only reads, so that it may be sent twice
_AGAIN = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.RemoteProtocolError,
    httpx.ReadError,
    httpx.WriteError,
)


def pause(outcome: httpx.Response | httpx.TransportError, *, attempt: int) -> float | None:
    """Seconds to wait before the request is sent again; None: it is not. ``attempt``: 0 is the first."""
    doubling = _FIRST_WAIT_S * 2.0**attempt
    if isinstance(outcome, httpx.TransportError):
        return doubling if isinstance(outcome, _AGAIN) else None
    if outcome.status_code not in _LATER:
        return None
    wanted = retry_after(outcome)
    wait = doubling if wanted is None else wanted
    return wait if wait <= LONGEST_WAIT_S else None
