"""A running server, to be asked, crowded and killed."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from index_builder.build import build_index
from index_builder.corpora import open_corpus
from retriever.encoder import HashingEncoder
from retriever.text.passages import PassageSettings

ROOT = Path(__file__).parent.parent
QUESTION = {"question": "who built the first Eddystone tower"}
_START_S = 90.0


TOWERS = {"towers": "Henry Winstanley built the first Eddystone tower in 1698. A storm took it in 1703."}


def build(directory: Path, texts: Mapping[str, str] = TOWERS, *, dimension: int = 256) -> str:
    """An index of these texts by id, made current in this folder without weights; the name of its generation."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "texts.jsonl"
        lines = [json.dumps({"id": doc_id, "title": doc_id, "text": text}) for doc_id, text in texts.items()]
        source.write_text("\n".join(lines), encoding="utf-8")
        return build_index(
            [open_corpus(str(source))],
            directory,
            encoder=HashingEncoder(dimension),
            settings=PassageSettings(),
            strict=True,
            console=Console(file=StringIO()),
        ).generation


class ServerProcess:
    """A process of ``tests.served`` over an index, once it is ready."""

    def __init__(
        self, index: Path, log: Path, settings: dict[str, object], *, prefix: tuple[str, ...] = ()
    ) -> None:
        variables = {f"LOCCIT_{name.upper()}": str(value) for name, value in settings.items()}
        self.log_path = log
        with log.open("w") as file:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "tests.served", str(index)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
                stderr=file,
                stdout=file,
            )
        self.port = int(self._said(r"Listening on http://127\.0\.0\.1:(\d+)")[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._said("Ready to answer")

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def get(self, path: str, **options: Any) -> httpx.Response:
        return httpx.get(self.url + path, timeout=30, **options)

    def ask(self, question: str = QUESTION["question"], **fields: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/answer", json={"question": question, **fields}, timeout=60)

    def connection(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def raw(self, sent: bytes, *, half_close: bool = False) -> bytes:
        """What comes back on a connection of its own until the server closes it."""
        with self.connection() as connection:
            connection.sendall(sent)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            return received(connection)

    def health_ms(self) -> float:
        """Milliseconds that a new client waits for /health/live."""
        started = time.perf_counter()
        response = self.raw(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        waited = time.perf_counter() - started
        assert response.endswith(b'{"status":"live"}')
        return 1000 * waited

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, *, within_s: float = 60) -> int:
        return self.process.wait(within_s)

    def wait_for(self, words: str) -> None:
        self._said(re.escape(words))

    def wait_until(self, metric: str) -> None:
        """Wait until it measures this of itself, such as ``loccit_worker_busy 1.0``."""
        end = time.monotonic() + _START_S
        while f"{metric}\n" not in self.get("/metrics").text:
            assert time.monotonic() < end, f"{metric} never came"
            time.sleep(0.05)

    def open_files(self) -> list[str]:
        """What the process holds open, by path."""
        folder = Path(f"/proc/{self.process.pid}/fd")
        return [str(link.readlink()) for link in list(folder.iterdir()) if link.is_symlink()]

    def _said(self, pattern: str) -> re.Match[str]:
        end = time.monotonic() + _START_S
        while time.monotonic() < end:
            if said := re.search(pattern, self.log):
                return said
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"The server did not say {pattern!r}:\n{self.log}")


@contextmanager
def running(index: Path, *, prefix: tuple[str, ...] = (), **settings: object) -> Iterator[ServerProcess]:
    """A server over the index; killed at the end, if it is still there. ``prefix``: what its command begins with."""
    with tempfile.TemporaryDirectory() as folder:
        server = None
        log = Path(folder) / "log"
        try:
            server = ServerProcess(index, log, settings, prefix=prefix)
            yield server
        finally:
            if server is not None:
                server.process.kill()
                server.process.wait()


def received(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def problem_in(response: bytes) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, problem and header fields (lower-cased) of a response as bytes."""
    head, _, body = response.partition(b"\r\n\r\n")
    line, *fields = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields)}
    assert headers["content-type"] == "application/problem+json", response
    problem = json.loads(body)
    status = int(line.split()[1])
    assert problem["status"] == status
    assert headers["x-content-type-options"] == "nosniff"
    return status, problem, headers
