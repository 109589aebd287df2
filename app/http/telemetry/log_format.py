"""The form of a line in the log: for eyes, or one JSON object for whatever collects lines.

What clients and documents wrote cannot end a line or steer a terminal: it comes as arguments of a message, and those
are escaped.
"""

import json
import logging
import sys
from copy import copy
from datetime import UTC, datetime
from typing import Any

import uvicorn.logging

from app.http.telemetry.request_id import current_request_id
from app.service.settings import LogFormat
from common.terminal_text import escaped, escaped_lines

_EVENTS = ("request", "answer")
"""Records of an event carry its fields as a dict, under the event's name (``extra``)."""


def log_config(form: LogFormat) -> dict[str, Any]:
    """The logging of a server, for ``logging.config.dictConfig``: everything goes to standard error.

    uvicorn's line for each request is off: ``app.http.telemetry.access_log`` writes one that knows more.
    """
    formatter = JsonFormatter if form is LogFormat.JSON else TextFormatter
    heard = {"handlers": ["all"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter}},
        "handlers": {
            "all": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "line"}
        },
        "root": {"handlers": ["all"], "level": "WARNING"},
        "loggers": {
            "app": {**heard, "level": "INFO"},
            "uvicorn": {**heard, "level": "INFO"},
            "uvicorn.access": {"level": "CRITICAL"},
        },
    }


class TextFormatter(uvicorn.logging.DefaultFormatter):
    """``INFO:     message [request id]``; what follows an error stands below it, indented."""

    def __init__(self) -> None:
        super().__init__("%(levelprefix)s %(message)s", use_colors=sys.stderr.isatty())

    def format(self, record: logging.LogRecord) -> str:
        shown = copy(record)
        shown.msg, shown.args = _message(record), None
        shown.__dict__.pop("color_message", None)  # it would take the message's place
        request_id = current_request_id()
        if request_id is not None:
            shown.msg = f"{shown.msg} [{request_id}]"
        return super().format(shown)

    def formatException(self, ei: Any) -> str:  # noqa: ANN401, N802 - logging's own name and type
        lines = escaped_lines(super().formatException(ei)).split("\n")
        return "\n".join(f"    {line}" for line in lines)


class JsonFormatter(logging.Formatter):
    """One JSON object: time (UTC), level, logger, event, message, request_id, and the fields of the event."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": _utc(record.created),
            "level": record.levelname,
            "logger": record.name,
            "event": "message",
            "request_id": current_request_id(),
        }
        for event in _EVENTS:
            fields = getattr(record, event, None)
            if isinstance(fields, dict):
                line.update(event=event, **fields)
        if line["event"] == "message":
            line["message"] = record.getMessage()
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)  # in ASCII: nothing in it steers a terminal


def _message(record: logging.LogRecord) -> str:
    """The message with its arguments escaped; the lines that its own words have stay lines."""
    if not isinstance(record.args, tuple):
        return escaped_lines(record.getMessage())
    arguments = tuple(
        argument if isinstance(argument, (int, float)) else escaped(str(argument)) for argument in record.args
    )
    message = str(record.msg)
    return escaped_lines(message % arguments if arguments else message)


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
