"""Which names a request may call this service by.

A page of another site can have its own name resolve to this machine, and then it reads what is served here as if it
were its own (DNS rebinding). The browser still sends that other name, which is none of ours.
"""

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.admission.refusals import UnknownHostError
from app.http.problems import problem_of

ANY = "*"
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens on ``host``: a name or an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def hosts_of(allowed: Sequence[str] | None, *, listening_on: str) -> tuple[str, ...]:
    """The names to answer to: those that are set; else any, or the loopback's where nobody else can come by."""
    if allowed:
        return tuple(allowed)
    return tuple(dict.fromkeys((*LOOPBACK_NAMES, listening_on))) if is_loopback(listening_on) else (ANY,)


class TrustedHosts:
    """Refuses a request whose Host names none of ``hosts``. ``*.example.org``: every name below it."""

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str]) -> None:
        self._app = app
        self._hosts = [host.lower() for host in hosts]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = _name(Headers(scope=scope).get("host", ""))
            if not self._trusts(host):
                error = UnknownHostError(
                    f"This service does not answer to the name {host[:100]!r}; its operator lists the names that it "
                    "answers to in LOCCIT_ALLOWED_HOSTS."
                )
                await problem_of(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _trusts(self, host: str) -> bool:
        return any(
            known in (ANY, host) or (known.startswith("*.") and host.endswith(known[1:]))
            for known in self._hosts
        )


def _name(host: str) -> str:
    """The name in a Host header, without its port, and an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()
