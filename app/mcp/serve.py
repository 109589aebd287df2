"""Serving the tools: over standard input and output, or over HTTP on this machine."""

import asyncio
import logging
import logging.config
import os
from functools import partial
from socket import socket

import uvicorn

from app.http.host import Host
from app.http.running.listening import address_of, listening
from app.http.running.preflight import check_startable
from app.http.server import OpenService
from app.http.telemetry.log_format import log_config
from app.mcp.backend import OpenBackend
from app.mcp.index_backend import index_backend
from app.mcp.service_backend import service_backend
from app.mcp.tools import tools_over
from app.service.assembly import open_service
from app.service.settings import Settings

HOST = "127.0.0.1"
"""Whoever reaches the tools can read every document, so only this machine does."""

_LOG = logging.getLogger(__name__)


def serve_index(settings: Settings, *, port: int | None, open_service: OpenService = open_service) -> None:
    """Serve tools that answer from an index, until told to stop.

    ``port``: of HTTP; None: standard input and output, until the input ends. ``open_service``: what opens the service.

    Raises:
        LoccitError: when the index or the models are not there, or the port cannot be listened on.
    """
    check_startable(settings)
    host = Host(settings, open_service)
    status = 1
    try:
        _serve(partial(index_backend, host), settings, port=port)
        status = 0
    except Exception as error:
        if host.at_work:  # nobody else says it
            _LOG.critical("The tools are served no more: %s", error)
        raise
    finally:
        if host.at_work:
            logging.shutdown()
            os._exit(status)  # half-loaded native code aborts when the interpreter ends around it


def serve_service(url: str, settings: Settings, *, api_key: str | None, port: int | None) -> None:
    """Serve tools that forward to the running service at ``url``; see ``serve_index``."""
    _serve(partial(service_backend, url, api_key=api_key), settings, port=port)


def _serve(open_backend: OpenBackend, settings: Settings, *, port: int | None) -> None:
    logging.config.dictConfig(
        log_config(settings.log_format)
    )  # to standard error: the output is the protocol's
    if port is None:
        asyncio.run(_served(open_backend, None))
        return
    with listening(HOST, port) as opened:
        asyncio.run(_served(open_backend, opened))


async def _served(open_backend: OpenBackend, opened: socket | None) -> None:
    async with open_backend() as backend:
        server = tools_over(backend)
        if opened is None:
            await server.run_stdio_async()
            return
        _LOG.info("Serving tools at %s/mcp", address_of(opened))
        config = uvicorn.Config(server.streamable_http_app(host=HOST), log_config=None, access_log=False)
        await uvicorn.Server(config).serve(sockets=[opened])
