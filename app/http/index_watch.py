"""Watching for a new generation of the index."""

import asyncio
from contextlib import suppress
from typing import NoReturn

from app.http.host import Host
from common.errors import LoccitError
from retriever.generations import current_name


async def watch_index(host: Host, *, every_s: float) -> NoReturn:
    """Reload whenever ``CURRENT`` names another generation than the one that answers.

    One that was refused is not tried again.
    """
    tried = None
    while True:
        await asyncio.sleep(every_s)
        name = await asyncio.to_thread(current_name, host.settings.index)
        if name not in {tried, host.generation}:
            tried = name
            with suppress(LoccitError):  # it is in the log
                await host.reload()
