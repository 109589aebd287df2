"""A server on loopback that plays a language model behind OpenAI's protocol, with every fault that one may have."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Exchange"], None]


@dataclass
class Exchange:
    """One request, and the ways to answer it."""

    handler: BaseHTTPRequestHandler
    body: dict[str, Any]
    stopped: threading.Event

    def send(self, body: bytes, status: int = 200, **headers: str) -> None:
        """A whole response."""
        self.start(status, **{"Content-Length": str(len(body)), **headers})
        self.write(body)

    def start(self, status: int = 200, **headers: str) -> None:
        self.handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()

    def write(self, piece: bytes) -> None:
        self.handler.wfile.write(piece)
        self.handler.wfile.flush()

    def say(self, content: object, **choice: object) -> None:
        """A chat completion with this content."""
        message = {"role": "assistant", "content": content}
        completion = {"choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}]}
        self.send(json.dumps(completion).encode())

    def claim(self, *claims: tuple[int, str, str]) -> None:
        """A chat completion with these claims: passage, quote, claim."""
        named = [{"passage": passage, "quote": quote, "claim": claim} for passage, quote, claim in claims]
        self.say(json.dumps({"claims": named}))


@dataclass
class PlayedServer:
    """Where it is, what it was asked, and what it answers. ``models``: the answer to GET .../models."""

    url: str
    answer: Answer
    models: Answer = field(default=lambda exchange: exchange.send(b'{"object": "list", "data": []}'))
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def shown(self) -> str:
        """The last message of the last request."""
        return str(self.asked[-1]["messages"][-1]["content"])


@contextmanager
def played(answer: Answer) -> Iterator[PlayedServer]:
    """A server that answers every chat so, until the block ends."""
    stopped = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.asked.append(body)
            self._answer(server.answer, body)

        def do_GET(self) -> None:
            self._answer(server.models, {})

        def _answer(self, answer: Answer, body: dict[str, Any]) -> None:
            server.paths.append(self.path)
            server.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.close_connection = True
            with suppress(OSError):  # whoever asked may have gone
                answer(Exchange(self, body, stopped))

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    server = PlayedServer(f"http://127.0.0.1:{listening.server_port}/v1", answer)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        stopped.set()
        listening.shutdown()
        listening.server_close()
        thread.join()
