"""How many connections the process's limit on open files leaves room for."""

import logging
import resource

from common.errors import InvalidRequestError

_OWN = 128  # of the process itself: an index, another that is being opened beside it, models, log
_FEWEST = 8

_LOG = logging.getLogger(__name__)


def connections_within(wanted: int, *, backlog: int) -> int:
    """``wanted``, or as many connections as the process may have open at a time.

    The process raises its own limit where it may. ``backlog``: connections that are taken on in one go, before one
    of them can make room.

    Raises:
        InvalidRequestError: when the limit is too low to serve at all.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + 2 * backlog + _OWN
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room = wanted if soft == resource.RLIM_INFINITY else min(wanted, soft - 2 * backlog - _OWN)
    if room < _FEWEST:
        raise InvalidRequestError(
            f"The process may open {soft} files at most, which is too few to serve; allow {needed} (ulimit -n)."
        )
    if room < wanted:
        _LOG.warning(
            "The process may open %d files at most, so %d connections are taken in place of %d; allow %d (ulimit -n).",
            soft,
            room,
            wanted,
            needed,
        )
    return room
