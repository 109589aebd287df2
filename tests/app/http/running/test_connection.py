"""Connections that keep a running server waiting, and requests that are no HTTP."""

import socket
import threading
import time
from statistics import median

import httpx
import pytest

from tests.server_process import build, problem_in, received, running

pytestmark = pytest.mark.enable_socket

HEADER_S, BODY_S, UNREAD_S, MOST = 1.0, 1.5, 2.0, 20
HEALTH_MS = 200.0
POST = b"POST /answer HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def towers(tmp_path_factory):
    directory = tmp_path_factory.mktemp("towers") / "index"
    build(directory)
    return directory


@pytest.fixture(scope="module")
def server(towers):
    with running(
        towers,
        header_timeout_s=HEADER_S,
        body_timeout_s=BODY_S,
        unread_timeout_s=UNREAD_S,
        max_connections=MOST,
    ) as server:
        yield server


@pytest.fixture
def roomy(towers):
    with running(towers) as server:
        yield server


def closed_after(connection: socket.socket) -> float:
    started = time.monotonic()
    received(connection)
    return time.monotonic() - started


def trickle(connection: socket.socket, sent: bytes, *, every_s: float = 0.2) -> bytes:
    """What comes back while this is sent byte by byte."""

    def send() -> None:
        try:
            for byte in sent:
                connection.sendall(bytes([byte]))
                time.sleep(every_s)
        except OSError:
            pass

    sending = threading.Thread(target=send, daemon=True)
    sending.start()
    return received(connection)


def test_a_connection_on_which_nothing_comes_is_closed_without_a_word(server):
    with server.connection() as connection:
        started = time.monotonic()
        assert received(connection) == b""
        assert HEADER_S * 0.9 < time.monotonic() - started < HEADER_S + 20


def test_a_header_that_comes_byte_by_byte_is_told_and_closed(server):
    with server.connection() as connection:
        started = time.monotonic()
        status, problem, headers = problem_in(trickle(connection, POST * 10))
        assert time.monotonic() - started < HEADER_S + 20
    assert status == 408
    assert problem["detail"] == "The header had not come whole after 1 seconds; send it faster."
    assert headers["connection"] == "close"


def test_a_body_that_comes_byte_by_byte_is_told_and_closed(server):
    with server.connection() as connection:
        connection.sendall(POST + b"Content-Length: 1000\r\n\r\n")
        status, problem, _ = problem_in(trickle(connection, b" " * 1000))
    assert status == 408
    assert problem["detail"] == "The body had not come whole after 1.5 seconds; send it faster."


def test_chunks_that_never_end_are_told_and_closed(server):
    with server.connection() as connection:
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        assert problem_in(trickle(connection, b"1\r\n \r\n" * 1000, every_s=0.1))[0] == 408


def test_a_second_request_has_to_come_in_time_as_well(server):
    with server.connection() as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200 OK" in connection.recv(65536)
        assert problem_in(trickle(connection, POST * 10))[0] == 408


@pytest.mark.parametrize(
    "sent",
    [POST[:30], POST + b"Content-Length: 100\r\n\r\n{}", POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"],
)
def test_a_request_that_ends_before_it_is_whole_is_told_at_once(server, sent):
    status, problem, _ = problem_in(server.raw(sent, half_close=True))
    assert (status, problem["detail"]) == (400, "The connection ended before the request was whole.")


def test_idle_connections_make_room_for_whoever_asks(server):
    """Three times as many as may be open: the oldest go, and everybody else is served in time."""
    idle = [server.connection() for _ in range(3 * MOST)]
    try:
        waits = [server.health_ms() for _ in range(20)]
        assert median(waits) < HEALTH_MS, waits
        assert server.ask().json()["answer"]
        sockets = [name for name in server.open_files() if name.startswith("socket:")]
        assert len(sockets) <= MOST + 10
    finally:
        for connection in idle:
            connection.close()


def test_slow_bodies_give_way_with_a_word(server):
    with server.connection() as slow:
        slow.sendall(POST + b"Content-Length: 100\r\n\r\n{")
        time.sleep(0.2)
        others = [server.connection() for _ in range(MOST)]
        try:
            status, problem, headers = problem_in(received(slow))
        finally:
            for other in others:
                other.close()
    assert (status, problem["type"]) == (503, "urn:loccit:problem:too-many-connections")
    assert problem["detail"] == "20 connections are open already; try again in a few seconds."
    assert int(headers["retry-after"]) > 0


def test_where_all_are_being_answered_the_newest_is_refused(server):
    body = b'{"question": "take 3 s"}'
    asking = [server.connection() for _ in range(MOST)]
    for connection in asking:
        connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    time.sleep(0.5)
    status, problem, headers = problem_in(server.raw(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    for connection in asking:
        connection.close()
    assert (status, problem["type"]) == (503, "urn:loccit:problem:too-many-connections")
    assert (headers["connection"], int(headers["retry-after"]) > 0) == ("close", True)
    time.sleep(0.2)
    assert server.get("/health/live").status_code == 200


def test_a_response_that_nobody_reads_is_not_kept(server):
    """Many requests on one connection, and not a byte of what comes back is read."""
    with server.connection() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        connection.settimeout(1)
        started = time.monotonic()
        try:
            while time.monotonic() - started < UNREAD_S + 20:
                connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 50)
        except TimeoutError:
            connection.settimeout(UNREAD_S + 20)
            try:
                while True:
                    connection.sendall(b"x" * 65536)
            except ConnectionError:
                pass
        except ConnectionError:
            pass
        assert time.monotonic() - started < UNREAD_S + 20


def test_hundreds_of_idle_and_slow_connections_silence_nobody(roomy):
    """260 idle ones, and 40 that send a byte a second, with the settings as they are."""
    idle = [roomy.connection() for _ in range(300)]
    try:
        waits = []
        for second in range(5):
            for slow in idle[:40]:
                slow.sendall(POST[second : second + 1])
            waits += [roomy.health_ms() for _ in range(10)]
            assert roomy.ask().status_code == 200
        assert median(waits) < HEALTH_MS, waits
    finally:
        for connection in idle:
            connection.close()


def test_connections_fit_the_process_s_own_limit_on_open_files(towers):
    """With 400 files at most, more clients than that come, and the server goes on."""
    with running(towers, prefix=("prlimit", "--nofile=400:400")) as server:
        assert (
            "The process may open 400 files at most, so 16 connections are taken in place of 512"
            in server.log
        )
        idle = [server.connection() for _ in range(600)]
        try:
            waits = [server.health_ms() for _ in range(20)]
            assert median(waits) < HEALTH_MS, waits
            assert server.ask().status_code == 200
        finally:
            for connection in idle:
                connection.close()
        assert "Too many open files" not in server.log


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nBad Name: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: \x00\r\n\r\n", 400),
        (POST + b"Content-Length: ten\r\n\r\n", 400),
        (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 414),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 300_000 + b"\r\n\r\n", 431),
        (b"BREW /answer HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
        (b"TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 405),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 404),
    ],
    ids=lambda value: value[:24] if isinstance(value, bytes) else None,
)
def test_what_is_not_acceptable_http_is_a_problem(server, sent, status):
    told, problem, _ = problem_in(server.raw(sent))
    assert told == status
    assert problem["detail"].endswith(".")


def test_an_upgrade_is_left_out(server):
    upgrade = (
        b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close, Upgrade\r\nUpgrade: %s\r\n\r\n"
    )
    for protocol in (b"websocket", b"h2c"):
        assert server.raw(upgrade % protocol).startswith(b"HTTP/1.1 200 OK")


def test_a_body_too_large_is_refused_before_it_is_read(server):
    with server.connection() as connection:
        connection.sendall(POST + b"Content-Length: 99000000000\r\nExpect: 100-continue\r\n\r\n")
        status, problem, _ = problem_in(received(connection))
    assert status == 413
    assert problem["detail"].startswith("The body is larger than 3,448,576 bytes; hand in")


def test_a_client_that_goes_on_sending_reads_why_it_is_refused(server):
    response = httpx.post(f"{server.url}/answer", content=b" " * 20_000_000, timeout=30)
    assert response.status_code == 413


def test_chunks_are_counted_as_they_come(server):
    def endless():
        for _ in range(1000):
            yield b" " * 1_000_000

    response = httpx.post(
        f"{server.url}/answer", content=endless(), headers={"content-type": "application/json"}, timeout=30
    )
    assert response.status_code == 413


def test_more_than_was_announced_is_another_request_that_is_refused(server):
    body = b'{"question": "who"}'
    with server.connection() as connection:
        connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body + b"and more\r\n\r\n")
        both = received(connection)
    first, _, second = both.partition(b"HTTP/1.1 400")
    assert first.startswith(b"HTTP/1.1 200 OK")
    assert problem_in(b"HTTP/1.1 400" + second)[0] == 400
