"""Watching for a new generation of the index."""

import asyncio
import logging
from contextlib import suppress
from typing import NoReturn

from app.http.host import Host
from common.errors import LoccitError
from retriever.generations import current_name

_LOG = logging.getLogger(__name__)


async def watch_index(host: Host, *, every_s: float) -> NoReturn:
    """Reload whenever ``CURRENT`` names another generation than the one that answers.

    One that was refused is not tried again.
    """
    tried = None
    while True:
        await asyncio.sleep(every_s)
        try:
            name = await asyncio.to_thread(current_name, host.settings.index)
        except OSError as error:
            _LOG.warning("The index's folder cannot be looked at now: %s", error)
            continue
        if name not in {tried, host.generation}:
            tried = name
            with suppress(LoccitError):  # it is in the log
                await host.reload()
