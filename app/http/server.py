"""The HTTP server: the app, and the process that runs it."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from math import ceil
from typing import cast

import uvicorn
from starlette.middleware.cors import CORSMiddleware

from app.http.admission.address_limit import AddressLimit
from app.http.admission.api_key import OPEN_PATHS, ApiKeys, KeyGate
from app.http.admission.body_limit import BodyLimit
from app.http.admission.security_headers import SecurityHeaders
from app.http.admission.trusted_hosts import ANY, TrustedHosts, hosts_of, is_loopback
from app.http.changing.admin import admin_router
from app.http.changing.changes import changes_router
from app.http.changing.index_watch import watch_index
from app.http.chat.errors import OpenAIErrors
from app.http.chat.routes import chat_router
from app.http.described.openapi import DESCRIPTION, TAGS, DescribedApp
from app.http.head_requests import HeadRequests
from app.http.host import Host
from app.http.page import PageFiles
from app.http.problems import install_problems
from app.http.routes import router
from app.http.running.connection import Connection, ConnectionLimits
from app.http.running.listening import address_of, listening
from app.http.running.open_files import connections_within
from app.http.running.preflight import check_startable
from app.http.running.process import ServerProcess
from app.http.telemetry.access_log import log_request
from app.http.telemetry.log_format import log_config
from app.http.telemetry.metrics import metrics_router
from app.http.telemetry.request_id import RequestIds
from app.http.telemetry.watch import Watch
from app.service.assembly import AnswerService, open_service
from app.service.settings import Settings
from common.errors import LoccitError

_LOG = logging.getLogger(__name__)
_BYTES_PER_CHARACTER = 12  # of JSON in ASCII: an escaped pair of surrogates
_BYTES_BESIDE = 1 << 20  # everything in a request but its documents' texts
_BACKLOG = 128  # connections that wait to be taken on, and that are taken on in one go
_MAX_HEAD_BYTES = 1 << 16  # of a request's line and header fields

OpenService = Callable[[Settings], AnswerService]
OnFailure = Callable[[Exception], None]
OnReady = Callable[[], None]

_HOW_TO_ASK = """Ready to answer. Ask, for example:

curl -s %s/answer%s -H 'content-type: application/json' -d '{"question": "who designed the eiffel tower"}'
"""

_OPEN_TO_ALL = (
    "Whoever reaches %s can ask questions and read every indexed document, because there are no API keys: give "
    "--key-file, or listen on 127.0.0.1."
)


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
    hosts: Sequence[str] = (ANY,),
    on_ready: OnReady = say_ready,
    on_failure: OnFailure = stop_process,
) -> DescribedApp:
    """The app. It listens at once; within its lifespan the service is opened beside it.

    ``hosts``: the names that requests may call it by.
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
    app.max_items = {
        ("AnswerRequest", "documents"): settings.max_documents,
        ("BatchRequest", "questions"): settings.max_questions,
        ("CheckRequest", "documents"): settings.max_documents,
    }
    app.state.host = host
    app.add_middleware(HeadRequests)
    app.add_middleware(
        BodyLimit, max_bytes=settings.max_document_characters * _BYTES_PER_CHARACTER + _BYTES_BESIDE
    )
    app.add_middleware(AddressLimit)
    _guard(app, settings, hosts)
    app.add_middleware(OpenAIErrors)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(
        Watch,
        during=host.metrics.in_progress.track_inprogress,
        watchers=(log_request, host.metrics.count_request),
    )
    app.add_middleware(RequestIds)
    install_problems(app)
    app.include_router(router)
    app.include_router(chat_router)
    app.include_router(admin_router)
    app.include_router(changes_router)
    if settings.metrics:
        app.include_router(metrics_router(host.metrics))
    app.mount("/web", PageFiles())
    return app


def _guard(app: DescribedApp, settings: Settings, hosts: Sequence[str]) -> None:
    """What turns requests away before a route sees them; the last one added comes first."""
    if settings.key_file is not None:
        opened = (*OPEN_PATHS, "/metrics") if settings.metrics_open else OPEN_PATHS
        app.open_without_key = opened
        app.add_middleware(ApiKeys, gate=KeyGate(settings.key_file), open_paths=opened)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key", "X-Request-ID"],
            expose_headers=["Retry-After", "X-Request-ID"],
        )
    if ANY not in hosts:
        app.add_middleware(TrustedHosts, hosts=hosts)


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
        key = "" if settings.key_file is None else ' -H "X-API-Key: $KEY"'
        _LOG.info(_HOW_TO_ASK, address_of(opened), key)

    app = create_app(
        settings,
        open_service=open_service,
        hosts=hosts_of(settings.allowed_hosts, listening_on=host),
        on_ready=say_how_to_ask,
        on_failure=stop,
    )
    server = ServerProcess(_config(app, settings), app.state.host)
    opened = listening(host, port)
    _LOG.info("Listening on %s", address_of(opened))
    _warn_where_open(settings, opened)
    try:
        server.run(sockets=[opened])
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
        log_config=log_config(settings.log_format),
        access_log=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        backlog=_BACKLOG,
        h11_max_incomplete_event_size=_MAX_HEAD_BYTES,
        timeout_graceful_shutdown=ceil(settings.timeout_s),
    )


def _warn_where_open(settings: Settings, opened: socket.socket) -> None:
    if settings.key_file is None and not is_loopback(opened.getsockname()[0]):
        _LOG.warning(_OPEN_TO_ALL, address_of(opened))


def _as_sentence(error: Exception) -> LoccitError:
    if isinstance(error, LoccitError):
        return error
    return LoccitError(f"The service cannot start ({type(error).__name__}); the log above says why.")
