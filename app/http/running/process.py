"""The server as a process: what its signals do."""

import asyncio
import logging
import os
import signal
import socket
from types import FrameType

import uvicorn

from app.http.host import Host, ReloadRefusedError
from common.errors import LoccitError

_LOG = logging.getLogger(__name__)


class ServerProcess(uvicorn.Server):
    """uvicorn's server, which tells those who wait to come back as soon as it is to stop.

    The first SIGTERM or SIGINT lets what is under way end, and the process ends well. A second one ends it at once.
    SIGHUP reloads the index.
    """

    def __init__(self, config: uvicorn.Config, host: Host) -> None:
        super().__init__(config)
        self._host = host
        self._reloads: set[asyncio.Task[None]] = set()  # the loop itself holds them weakly

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._begin_to_reload)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._host.turn_away()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        if self.should_exit:
            logging.shutdown()
            os._exit(128 + sig)
        self.should_exit = True

    def _begin_to_reload(self) -> None:
        reload = asyncio.create_task(self._reload())
        self._reloads.add(reload)
        reload.add_done_callback(self._reloads.discard)

    async def _reload(self) -> None:
        try:
            await self._host.reload()
        except ReloadRefusedError:
            pass  # it is in the log
        except LoccitError as error:
            _LOG.warning("The index was not reloaded: %s", error)
