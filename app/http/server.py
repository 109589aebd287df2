"""The HTTP server: the app, and the process that runs it."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from functools import partial
from importlib.metadata import version
from math import ceil
from typing import Any, cast

import uvicorn.config

from app.http.access_log import WithoutQuery
from app.http.address_limit import AddressLimit
from app.http.admin import admin_router
from app.http.body_limit import BodyLimit
from app.http.connection import Connection, ConnectionLimits
from app.http.host import Host
from app.http.index_watch import watch_index
from app.http.open_files import connections_within
from app.http.openapi import DESCRIPTION, TAGS, DescribedApp
from app.http.page import PageFiles
from app.http.preflight import check_startable
from app.http.problems import install_problems
from app.http.process import ServerProcess
from app.http.routes import router
from app.http.security_headers import SecurityHeaders
from app.service.assembly import AnswerService, open_service
from app.service.settings import Settings
from common.errors import InvalidRequestError, LoccitError

_LOG = logging.getLogger(__name__)
_BYTES_PER_CHARACTER = 12  # of JSON in ASCII: an escaped pair of surrogates
_BYTES_BESIDE = 1 << 20  # everything in a request but its documents' texts
_BACKLOG = 128  # connections that wait to be taken on, and that are taken on in one go
_MAX_HEAD_BYTES = 1 << 16  # of a request's line and header fields

OpenService = Callable[[Settings], AnswerService]
OnFailure = Callable[[Exception], None]
OnReady = Callable[[], None]

_HOW_TO_ASK = """Ready to answer. Ask, for example:

curl -s %s/answer -H 'content-type: application/json' -d '{"question": "who designed the eiffel tower"}'
"""


def stop_process(error: Exception) -> None:  # noqa: ARG001
    """End the process as a supervisor would: the server shuts down, and the exit status is not 0."""
    signal.raise_signal(signal.SIGTERM)


def say_ready() -> None:
    """Leave word in the log."""
    _LOG.info("Ready to answer.")


def create_app(
    settings: Settings,
    *,
    open_service: OpenService = open_service,
    on_ready: OnReady = say_ready,
    on_failure: OnFailure = stop_process,
) -> DescribedApp:
    """The app. It listens at once; within its lifespan the service is opened beside it.

    ``on_ready``: called once questions can be answered.
    ``on_failure``: called with the error when the service cannot be opened; it must end the process.
    """
    host = Host(settings, open_service)
    app = DescribedApp(
        title="Loccit",
        description=DESCRIPTION,
        version=version("loccit"),
        openapi_tags=TAGS,
        lifespan=lambda _: _running(host, on_ready, on_failure),
        docs_url=None,  # both pages would load scripts from the network
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.host = host
    app.add_middleware(
        BodyLimit, max_bytes=settings.max_document_characters * _BYTES_PER_CHARACTER + _BYTES_BESIDE
    )
    app.add_middleware(AddressLimit)
    app.add_middleware(SecurityHeaders)
    install_problems(app)
    app.include_router(router)
    app.include_router(admin_router)
    app.mount("/web", PageFiles())
    return app


def run_server(settings: Settings, *, host: str, port: int, open_service: OpenService = open_service) -> None:
    """Serve until told to stop.

    ``open_service``: what opens the service.

    Raises:
        LoccitError: when the service cannot be opened, or the port cannot be listened on.
    """
    check_startable(settings)
    failures: list[Exception] = []

    def stop(error: Exception) -> None:
        failures.append(error)
        server.should_exit = True

    def say_how_to_ask() -> None:
        _LOG.info(_HOW_TO_ASK, _address(listening))

    app = create_app(settings, open_service=open_service, on_ready=say_how_to_ask, on_failure=stop)
    server = ServerProcess(_config(app, settings), app.state.host)
    listening = _listening(host, port)
    _LOG.info("Listening on %s", _address(listening))
    try:
        server.run(sockets=[listening])
    finally:
        if app.state.host.at_work:
            logging.shutdown()
            os._exit(0)  # half-loaded native code aborts when the interpreter ends around it
    if failures:
        raise _as_sentence(failures[0])


@asynccontextmanager
async def _running(host: Host, on_ready: OnReady, on_failure: OnFailure) -> AsyncIterator[None]:
    host.start()
    loading = asyncio.create_task(_load(host, on_ready, on_failure))
    try:
        yield
    finally:
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)
        await asyncio.to_thread(host.close)


async def _load(host: Host, on_ready: OnReady, on_failure: OnFailure) -> None:
    _LOG.info("Opening the index %s and its models ...", host.settings.index)
    try:
        await host.load()
    except Exception as error:
        unforeseen = None if isinstance(error, LoccitError) else error
        _LOG.critical("The service cannot start: %s", error, exc_info=unforeseen)
        on_failure(error)
    else:
        on_ready()
        if host.settings.watch_index_s:
            await watch_index(host, every_s=host.settings.watch_index_s)


def _config(app: DescribedApp, settings: Settings) -> uvicorn.Config:
    limits = ConnectionLimits(
        most=connections_within(settings.max_connections, backlog=_BACKLOG),
        head_s=settings.header_timeout_s,
        body_s=settings.body_timeout_s,
        unread_s=settings.unread_timeout_s,
    )
    return uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", partial(Connection, limits=limits)),
        ws="none",
        log_config=_log_config(),
        backlog=_BACKLOG,
        h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
        timeout_graceful_shutdown=ceil(settings.timeout_s),
    )


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise InvalidRequestError(
            f"{host} port {port} cannot be listened on ({error.strerror}); give another --host or --port."
        ) from error
    # Connections take it over. asyncio sets it only where a socket names its protocol, which create_server's do not:
    # without it the second part of a response waits for the client's delayed acknowledgement of the first.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _address(listening: socket.socket) -> str:
    host, port, *_ = listening.getsockname()
    return f"http://[{host}]:{port}" if listening.family is socket.AF_INET6 else f"http://{host}:{port}"


def _log_config() -> dict[str, Any]:
    """uvicorn's own logging without questions, with this package's loggers beside its."""
    config: dict[str, Any] = deepcopy(uvicorn.config.LOGGING_CONFIG)
    config["filters"] = {"without query": {"()": WithoutQuery}}
    config["handlers"]["access"]["filters"] = ["without query"]
    config["loggers"]["app"] = {"handlers": ["default"], "level": "INFO", "propagate": False}
    return config


def _as_sentence(error: Exception) -> LoccitError:
    if isinstance(error, LoccitError):
        return error
    return LoccitError(f"The service cannot start ({type(error).__name__}); the log above says why.")
