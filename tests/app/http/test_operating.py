"""The process as an operator starts it: its log, its warning, the names and proxies that it believes."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

SECONDS = 120


class Process:
    """A server and the lines of its log, read as they come."""

    def __init__(self, *arguments: object, **environment: str) -> None:
        code = f"import sys; sys.argv = ['loccit', *{list(map(str, arguments))!r}]; from app.cli import main; main()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self._ready = threading.Event()
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        for line in self._process.stderr:
            self.lines.append(line)
            if "Ready to answer" in line:
                self._ready.set()
        self._ready.set()

    def address(self) -> str:
        assert self._ready.wait(SECONDS)
        [port] = [line.split("Listening on http://")[1] for line in self.lines if "Listening on http" in line]
        return f"http://127.0.0.1:{port.split(':')[1].split(chr(34))[0].strip()}"

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(SECONDS)
        self._reading.join(SECONDS)
        self._process.stderr.close()

    def told(self) -> list[dict]:
        """Every line as the object that it is."""
        return [json.loads(line) for line in self.lines]


@contextmanager
def serving(notes_index, *options: object, **environment: str) -> Iterator[Process]:
    fast = ("--generator", "reader", "--reader", "lexical", "--confidence", "score")
    process = Process(
        "serve", "--index", notes_index, "--port", 0, "--log-format", "json", *fast, *options, **environment
    )
    try:
        yield process
    finally:
        process.stop()


FORWARDED = {"X-Forwarded-For": "203.0.113.9"}


def test_on_loopback_other_names_and_forwarded_addresses_are_not_believed(notes_index):
    with serving(notes_index) as process:
        url = process.address()
        assert httpx.get(f"{url}/health/ready", headers=FORWARDED).status_code == 200
        assert httpx.get(f"{url}/health/ready", headers={"Host": "evil.example"}).status_code == 400
        asked = {"question": "who built the first Eddystone tower"}
        answer = httpx.post(f"{url}/answer", json=asked, headers={"X-Request-ID": "mine"}).json()
        httpx.get(f"{url}/%1b[2J%0a%7b%22level%22")
    told = process.told()
    assert not [line for line in told if line["level"] == "WARNING"]
    requests = [line for line in told if line["event"] == "request"]
    assert [(line["route"], line["status"]) for line in requests] == [
        ("/health/ready", 200),
        ("none", 400),
        ("/answer", 200),
        ("none", 404),
    ]
    assert {line["client"] for line in requests} == {"127.0.0.1"}
    [answered] = [line for line in told if line["event"] == "answer"]
    assert answered["request_id"] == requests[2]["request_id"] == "mine"
    assert answered["generation"] == answer["generation"] == (notes_index / "CURRENT").read_text().strip()
    assert answered["confidence"] == round(answer["confidence"], 4)
    assert requests[3]["path"] == '/\x1b[2J\n{"level"'
    assert "Eddystone" not in "".join(process.lines)


def test_beyond_loopback_without_keys_it_warns_once_and_believes_the_proxy_that_is_named(notes_index):
    with serving(notes_index, "--host", "0.0.0.0", LOCCIT_TRUSTED_PROXIES="127.0.0.1") as process:
        url = process.address()
        headers = {**FORWARDED, "Host": "any.example"}
        assert httpx.get(f"{url}/health/ready", headers=headers).status_code == 200
    told = process.told()
    [warning] = [line["message"] for line in told if line["level"] == "WARNING"]
    assert warning == (
        f"Whoever reaches {url.replace('127.0.0.1', '0.0.0.0')} can ask questions and read every indexed document, "
        "because there are no API keys: give --key-file, or listen on 127.0.0.1."
    )
    [request] = [line for line in told if line["event"] == "request"]
    assert request["client"] == "203.0.113.9"
