"""A connection that cannot keep the server from others: each wait for its client has an end."""

import asyncio
import sys
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import h11
from fastapi.responses import JSONResponse
from uvicorn.protocols.http.h11_impl import H11Protocol

from app.http.admission.security_headers import HEADERS
from app.http.problems import KINDS, TOO_MANY_CONNECTIONS, problem, status_problem
from app.http.worker import STOPPING, StoppingError

_LINGER_S = 2.0  # for which a client that is still sending may read why it is not listened to any more
_REASONS = {
    400: "The request is not HTTP that can be read ({error}); send HTTP/1.1.",
    414: "The address is too long; ask with POST /answer.",
    431: "The header fields are too long; send fewer or shorter ones.",
    501: "The request is encoded in a way that is not known here ({error}); send it as it is, or chunked.",
}


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """``most``: connections open at a time.

    The rest are seconds: ``head_s`` for a request's line and header fields to come whole, ``body_s`` for its body,
    ``unread_s`` for a response to be read on.
    """

    most: int
    head_s: float
    body_s: float
    unread_s: float


class Connection(H11Protocol):
    """uvicorn's connection with limits, and with problems where uvicorn has plain texts.

    Where too many are open, the one that has kept the server waiting longest makes room. Where none does, since all
    are being answered, the newest is refused.
    """

    def __init__(self, *arguments: Any, limits: ConnectionLimits, **named: Any) -> None:  # noqa: ANN401
        super().__init__(*arguments, **named)
        self._limits = limits
        self._awaited: object = None  # the client's state in h11 while it keeps the server waiting
        self._since = 0.0
        self._waiting: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._lingers = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()
        if len(self.connections) > self._limits.most:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._waiting, self._unread):
            if timer is not None:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        if not self._lingers:
            super().data_received(data)

    def eof_received(self) -> None:
        if self._is_amid_request:
            self._say(status_problem(400, "The connection ended before the request was whole."))

    def handle_events(self) -> None:
        super().handle_events()
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            self._linger()  # the body is of no use any more

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own text
        error = sys.exception()  # called where it is handled
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        if status == 431 and b"\n" not in self.conn.trailing_data[0]:
            status = 414
        reason = _REASONS.get(status, _REASONS[400])
        self._say(status_problem(status, reason.format(error=error)))
        self._linger()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(self._limits.unread_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def shutdown(self) -> None:
        if self._lingers:
            self.transport.close()
        elif self._is_amid_request:
            self._say(problem(KINDS[StoppingError], STOPPING))
            self._linger()
        else:
            super().shutdown()

    def _should_upgrade(self) -> bool:
        return False  # a server may leave an upgrade out, and this one has none

    @property
    def _is_amid_request(self) -> bool:
        """Whether a request has begun to come and is not whole."""
        if self._lingers or self._awaited is None:
            return False
        return self._awaited is h11.SEND_BODY or bool(self.conn.trailing_data[0])

    @property
    def _can_make_room(self) -> bool:
        return (self._lingers or self._awaited is not None) and not self.transport.is_closing()

    def _watch(self) -> None:
        """Begin to wait for what has to come next, if it is anything else than before."""
        state = self.conn.their_state
        limit = {h11.IDLE: self._limits.head_s, h11.SEND_BODY: self._limits.body_s}.get(state)
        if self._lingers or self.transport.is_closing():
            limit = None
        awaited = None if limit is None else state
        if awaited is self._awaited:
            return
        self._awaited, self._since = awaited, self.loop.time()
        if self._waiting is not None:
            self._waiting.cancel()
        if limit is not None:
            self._waiting = self.loop.call_later(limit, self._end_waiting, limit)

    def _end_waiting(self, limit: float) -> None:
        if not self._is_amid_request:
            self.transport.close()
            return
        what = "body" if self._awaited is h11.SEND_BODY else "header"
        self._say(
            status_problem(408, f"The {what} had not come whole after {limit:g} seconds; send it faster.")
        )
        self._linger()

    def _make_room(self) -> None:
        others = [other for other in self.connections if isinstance(other, Connection) and other is not self]
        keeping_waiting = [other for other in others if other._can_make_room]
        if keeping_waiting:
            min(keeping_waiting, key=lambda other: other._since)._give_way()
        else:
            self.app = self._too_many  # it answers whatever is asked here

    def _give_way(self) -> None:
        if self._is_amid_request:
            self._say(self._too_many)
        self.transport.close()

    @property
    def _too_many(self) -> JSONResponse:
        return problem(
            TOO_MANY_CONNECTIONS,
            f"{self._limits.most} connections are open already; try again in a few seconds.",
            {**HEADERS, "Connection": "close"},
        )

    def _say(self, response: JSONResponse) -> None:
        """Send this in place of what the app would have said; nothing where that has begun to speak."""
        unfinished = self.cycle is not None and not self.cycle.response_complete
        without_body = unfinished and self.scope["method"] == "HEAD"
        if unfinished:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        response.headers.update({**HEADERS, "Connection": "close"})
        headers = [*self.server_state.default_headers, *response.raw_headers]
        reason = HTTPStatus(response.status_code).phrase.encode()
        for event in (
            h11.Response(status_code=response.status_code, headers=headers, reason=reason),
            h11.Data(data=b"" if without_body else bytes(response.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")

    def _linger(self) -> None:
        """Say no more and listen to no more, but leave a client that is still sending time to read what was said.

        Closed at once, a connection with something unread is reset, and what was said may be lost (RFC 9112, section
        9.6).
        """
        self._lingers = True
        self._unset_keepalive_if_required()
        self._watch()
        self.flow.resume_reading()
        self.transport.write_eof()
        self._waiting = self.loop.call_later(_LINGER_S, self.transport.abort)
