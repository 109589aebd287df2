"""Many clients at once over loopback: what is served and refused, how long answers and health take, and memory.

A server of its own is started on the index, loaded and ended.

python -m benchmarks.load --index DIR --clients 200 --seconds 60 --light    # no weights: DIR has a hashing index
python -m benchmarks.load --clients 8 --seconds 60                          # the real models
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import IO

import httpx
import numpy as np

from app.service.settings import DEFAULT_INDEX
from evaluation.questions import load_questions

_LIGHT = ("--generator", "reader", "--reader", "lexical", "--min-confidence", "0")
_START_S = 300.0
_HEALTH_EVERY_S = 0.1
_REFUSED_WAIT_S = 0.5  # before a refused client asks again; a polite one would wait for Retry-After


@dataclass(slots=True)
class Measured:
    """What a load came to. Seconds, and counts by HTTP status; a stream counts as 200 once its ``response`` came."""

    answers_s: list[float] = field(default_factory=list)
    health_s: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    streams_cut: int = 0
    memory_mib: tuple[float, float] = (0.0, 0.0)

    @property
    def unintended(self) -> int:
        """Responses that nobody means to give under load: every 5xx but 503."""
        return sum(count for status, count in self.statuses.items() if status >= 500 and status != 503)


def load(url: str, pid: int, questions: Sequence[str], *, clients: int, seconds: float) -> Measured:
    """Ask from so many clients for so long, each again as soon as it is answered; every other one streams."""
    before = _memory_mib(pid)
    measured = asyncio.run(_loaded(url, questions, clients=clients, seconds=seconds))
    measured.memory_mib = (before, _memory_mib(pid))
    return measured


async def _loaded(url: str, questions: Sequence[str], *, clients: int, seconds: float) -> Measured:
    measured, end = Measured(), time.monotonic() + seconds
    await asyncio.gather(
        asyncio.to_thread(_watch_health, url, measured, end),
        *(_ask(url, measured, end, questions, number) for number in range(clients)),
    )
    return measured


def _watch_health(url: str, measured: Measured, end: float) -> None:
    """Ask by a new connection each time, apart from the clients, so that their own queues are not measured."""
    address = httpx.URL(url)
    while time.monotonic() < end:
        started = time.monotonic()
        connection = HTTPConnection(address.host, address.port, timeout=_START_S)
        connection.request("GET", "/health/live", headers={"Connection": "close"})
        assert connection.getresponse().status == 200
        connection.close()
        measured.health_s.append(time.monotonic() - started)
        time.sleep(_HEALTH_EVERY_S)


async def _ask(url: str, measured: Measured, end: float, questions: Sequence[str], number: int) -> None:
    streams = number % 2 == 1
    while time.monotonic() < end:
        asked = {"question": questions[number % len(questions)]}
        number += 1
        started = time.monotonic()
        status, text = await _posted(url, "/answer/stream" if streams else "/answer", asked)
        if streams and status == 200:
            status = _status_of_stream(text, measured)
        measured.statuses[status] += 1
        if status == 200:
            measured.answers_s.append(time.monotonic() - started)
        else:
            await asyncio.sleep(_REFUSED_WAIT_S)


async def _posted(url: str, path: str, asked: dict[str, str]) -> tuple[int, str]:
    """Status and body of the response on a connection of its own: a client that takes little time itself."""
    address, body = httpx.URL(url), json.dumps(asked).encode()
    reader, writer = await asyncio.open_connection(address.host, address.port)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    )
    writer.write(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    response = await reader.read()
    writer.close()
    return int(response.split(b" ", 2)[1]), response.partition(b"\r\n\r\n")[2].decode()


def _status_of_stream(text: str, measured: Measured) -> int:
    """The status that its last event tells; a stream that ends with another one was cut."""
    last = text.rstrip().rpartition("event: ")[2]
    if last.startswith("response\n"):
        return 200
    if last.startswith("error\n") and (status := re.search(r'"status": (\d+)', last)):
        return int(status[1])
    measured.streams_cut += 1
    return 0


def table(measured: Measured, *, clients: int, seconds: float) -> str:
    """The figures as a Markdown table."""
    served, refused = measured.statuses[200], measured.statuses[503]
    rows = [
        ("clients, seconds", f"{clients}, {seconds:g}"),
        ("offered", f"{measured.statuses.total():,}"),
        ("answered", f"{served:,} ({served / seconds:.1f}/s)"),
        ("refused with 503", f"{refused:,}"),
        ("timed out with 504", f"{measured.statuses[504]:,}"),
        ("other errors", f"{measured.unintended - measured.statuses[504]:,}"),
        ("streams cut", f"{measured.streams_cut:,}"),
        ("answer p50 / p95 / p99", _percentiles(measured.answers_s, "s", 1)),
        ("/health/live p50 / p95 / p99", _percentiles(measured.health_s, "ms", 1000)),
        ("memory before, after", "{:.0f} MiB, {:.0f} MiB".format(*measured.memory_mib)),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _percentiles(values: Sequence[float], unit: str, scale: float) -> str:
    if not values:
        return "none"
    return " / ".join(f"{scale * value:.3g} {unit}" for value in np.percentile(values, [50, 95, 99]))


def _memory_mib(pid: int) -> float:
    """Resident memory of the process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, default=DEFAULT_INDEX)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument(
        "--light", action="store_true", help="Answer by the lexical reader alone, without weights."
    )
    arguments = parser.parse_args()

    options = _LIGHT if arguments.light else ()
    command = [
        sys.executable,
        "-m",
        "app.cli",
        "serve",
        "--index",
        str(arguments.index),
        "--port",
        "0",
        *options,
    ]
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            url = _url_once_ready(server, log)
            questions = [question.question for question in load_questions("own")]
            measured = load(url, server.pid, questions, clients=arguments.clients, seconds=arguments.seconds)
        finally:
            server.terminate()
            server.wait()
    print(table(measured, clients=arguments.clients, seconds=arguments.seconds))


def _url_once_ready(server: subprocess.Popen[bytes], log: IO[str]) -> str:
    said, end = "", time.monotonic() + _START_S
    while time.monotonic() < end and server.poll() is None:
        log.seek(0)
        said = log.read()
        if "Ready to answer" in said and (listening := re.search(r"Listening on (\S+)", said)):
            return listening[1]
        time.sleep(0.2)
    sys.exit(f"The server did not become ready:\n{said}")


if __name__ == "__main__":
    main()
