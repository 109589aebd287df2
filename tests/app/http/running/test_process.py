"""Signals, restarts and what a killed server leaves, on a running one."""

import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import httpx
import pytest

from tests.server_process import build, problem_in, received, running

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def towers(tmp_path_factory):
    directory = tmp_path_factory.mktemp("towers") / "index"
    build(directory)
    return directory


def events_in(response: bytes) -> list[str]:
    """The names of the events in a stream's bytes."""
    return re.findall(r"^event: (\w+)", response.decode(), re.MULTILINE)


def streamed(url: str, question: str) -> list[str]:
    """The names of the events of a stream, to its end."""
    return events_in(httpx.post(f"{url}/answer/stream", json={"question": question}, timeout=60).content)


def test_terminated_it_finishes_what_is_under_way_turns_away_who_waits_and_ends_well(towers):
    with running(towers) as server, ExitStack() as connections:

        def asked(path: str) -> socket.socket:
            connection = connections.enter_context(server.connection())
            body = b'{"question": "take 8 s"}'
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            connection.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            return connection

        under_way = asked("/answer/stream")
        begun = b""
        while b"event: read\n" not in begun:
            begun += under_way.recv(1 << 20)
        waiting = [asked("/answer") for _ in range(3)]
        waiting_stream = asked("/answer/stream")
        half_sent = connections.enter_context(server.connection())
        half_sent.sendall(b"POST /answer HTTP/1.1\r\nHost: loc")
        connections.enter_context(server.connection())  # one that is idle
        server.wait_until("loccit_questions_waiting 4.0")
        started = time.monotonic()
        server.signal(signal.SIGTERM)
        for connection in (*waiting, half_sent):
            status, problem, headers = problem_in(received(connection))
            assert (status, problem["type"]) == (503, "urn:loccit:problem:stopping")
            assert int(headers["retry-after"]) > 0
        assert events_in(received(waiting_stream)) == ["error"]
        assert time.monotonic() - started < 6  # before the one under way is done
        assert events_in(received(under_way))[-1] == "response"
        assert server.ended() == 0
        assert "Traceback" not in server.log


def test_a_second_signal_ends_it_at_once(towers):
    with running(towers) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(server.ask, "take 20 s")
        server.wait_until("loccit_worker_busy 1.0")
        started = time.monotonic()
        server.signal(signal.SIGTERM)
        server.wait_for("Shutting down")
        assert server.process.poll() is None
        server.signal(signal.SIGTERM)
        assert server.ended() == 128 + signal.SIGTERM
        assert time.monotonic() - started < 15  # not after what is under way


def test_a_client_that_leaves_ends_the_work_and_an_interrupt_ends_the_server_well(towers):
    """Splitting and embedding them takes a while; whoever comes next does not wait for that."""
    text = " ".join(f"Number {n} is told here, and what it is for is told as well." for n in range(3000))
    with running(towers) as server:
        client = httpx.Client(base_url=server.url, timeout=0.05)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/answer", json={"question": "take 20 s", "documents": [{"text": text}]})
        client.close()
        started = time.monotonic()
        assert server.ask().status_code == 200
        assert time.monotonic() - started < 15  # not after what was given up
        assert "outcome=abandoned" in server.log
        server.signal(signal.SIGINT)
        assert server.ended() == 0
        assert "Traceback" not in server.log


def test_killed_under_load_and_started_again_it_answers_everything(towers, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running(towers) as server, ThreadPoolExecutor(8) as pool:
        answered = threading.Semaphore(0)

        def ask() -> None:
            """Ask until the server is killed."""
            with httpx.Client(base_url=server.url, timeout=60) as client, suppress(httpx.TransportError):
                while True:
                    response = client.post("/answer", json={"question": "who built a tower"})
                    assert response.status_code == 200
                    answered.release()

        asking = [pool.submit(ask) for _ in range(8)]
        for _ in range(100):
            assert answered.acquire(timeout=30)
        server.signal(signal.SIGKILL)
        assert server.ended() == -signal.SIGKILL
        for one in asking:
            one.result()
    with running(towers) as server:
        assert "Winstanley" in server.ask().json()["citations"][0]["quote"]
        assert streamed(server.url, "who built a tower")[-1] == "response"
        server.signal(signal.SIGTERM)
        assert server.ended() == 0
    assert not list(tmp_path.iterdir())
