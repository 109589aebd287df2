"""The log's one line for each request: what it was and how it went, never what was asked."""

import logging

from app.http.telemetry.watch import Answered

_LOG = logging.getLogger(__name__)


def log_request(request: Answered) -> None:
    """One line at INFO; the record's ``request`` holds the same as a dict. Its path comes without its query."""
    fields: dict[str, object] = {
        "method": request.method,
        "path": request.path[:200],
        "route": request.route,
        "status": request.status,
        "ms": round(1000 * request.seconds, 2),
        "client": request.client,
        "key": request.key,
    }
    _LOG.info(
        '%s "%s %s" %d in %s ms',
        request.client or "-",
        request.method,
        fields["path"],
        request.status,
        fields["ms"],
        extra={"request": fields},
    )
