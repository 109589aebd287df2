"""The access log: requests, not questions."""

import logging
import logging.config

from app.http.server import _log_config


def test_the_access_log_does_not_tell_what_was_asked():
    config = _log_config()
    [name] = config["handlers"]["access"]["filters"]
    keep = config["filters"][name]["()"]()
    line = '%s - "%s %s HTTP/%s" %d'
    record = logging.LogRecord(
        "uvicorn.access", 20, "", 0, line, ("1", "GET", "/?q=secret", "1.1", 200), None
    )
    assert keep.filter(record)
    assert record.getMessage() == '1 - "GET / HTTP/1.1" 200'
