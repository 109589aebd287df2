"""uvicorn's line for each request, without what was asked."""

import logging


class WithoutQuery(logging.Filter):
    """Cuts the query off the address of an access line: the page's holds the question."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and len(record.args) == 5:
            client, method, path, *rest = record.args
            record.args = (client, method, str(path).partition("?")[0], *rest)
        return True
