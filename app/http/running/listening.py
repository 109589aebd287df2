"""The socket that a server listens on."""

import os
import socket

from common.errors import InvalidRequestError


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections on; port 0 is any free one.

    Raises:
        InvalidRequestError: when the port cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        opened = socket.create_server((host, port), family=family)
    except OSError as error:
        # the words of the error repeat the address; the number of one about a name is below 0, and none of the system's
        number, words = error.errno or 0, error.strerror or ""
        reason = words.partition(" (while")[0] if number < 0 else os.strerror(number)
        raise InvalidRequestError(
            f"{host} port {port} cannot be listened on ({reason}); give another --host or --port."
        ) from error
    # Connections take it over. asyncio sets it only where a socket names its protocol, which create_server's do not:
    # without it the second part of a response waits for the client's delayed acknowledgement of the first.
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def address_of(opened: socket.socket) -> str:
    """Where a browser finds what listens there."""
    host, port, *_ = opened.getsockname()
    return f"http://[{host}]:{port}" if opened.family is socket.AF_INET6 else f"http://{host}:{port}"
