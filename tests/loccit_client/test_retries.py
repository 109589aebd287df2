"""What is sent again, how often, and after how long."""

import httpx
import pytest
from loccit_client import (
    AsyncClient,
    BusyError,
    Client,
    ProblemError,
    UnexpectedResponseError,
    UnreachableError,
)

from app.http.described import examples


class Server:
    """Answers with these outcomes in turn."""

    def __init__(self, *outcomes):
        self._outcomes = list(outcomes)
        self.requests = 0
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def client(self, retries: int = 2) -> Client:
        return Client(transport=httpx.MockTransport(self), retries=retries, sleep=self.waits.append)

    def async_client(self) -> AsyncClient:
        async def sleep(seconds):
            self.waits.append(seconds)

        return AsyncClient(transport=httpx.MockTransport(self), sleep=sleep)


def problem(status: int, **headers: str) -> httpx.Response:
    body = {"type": "about:blank", "title": "x", "status": status, "detail": f"Status {status}."}
    return httpx.Response(
        status, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


class BrokenOff(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that ends before its end."""

    def __iter__(self):
        yield b"event: read\ndata: {}\n\n"
        raise httpx.ReadError("cut")

    async def __aiter__(self):
        for received in self:
            yield received


def answer() -> httpx.Response:
    return httpx.Response(200, json=examples.ANSWER)


@pytest.mark.parametrize(
    ("first", "wait"),
    [
        (lambda: problem(503, retry_after="5"), 5),
        (lambda: problem(429, retry_after="60"), 60),
        (lambda: problem(503), 0.5),
        (lambda: problem(503, retry_after="soon"), 0.5),
        (lambda: httpx.ConnectError("refused"), 0.5),
        (lambda: httpx.RemoteProtocolError("closed"), 0.5),
    ],
)
async def test_what_may_succeed_later_is_sent_again_after_the_wait(first, wait):
    server = Server(first(), answer())
    assert server.client().answer("who?").answer == "Gustave Eiffel"
    assert (server.requests, server.waits) == (2, [wait])
    server = Server(first(), answer())
    async with server.async_client() as client:
        assert (await client.answer("who?")).answer == "Gustave Eiffel"
    assert (server.requests, server.waits) == (2, [wait])


@pytest.mark.parametrize("status", [400, 404, 422, 500, 504])
def test_what_would_come_out_the_same_is_sent_once(status):
    server = Server(problem(status, retry_after="1"))
    with pytest.raises(ProblemError, match=f"Status {status}"):
        server.client().answer("who?")
    assert (server.requests, server.waits) == (1, [])


def test_it_gives_up_after_the_last_retry_and_waits_longer_each_time():
    server = Server(*[problem(503) for _ in range(3)])
    with pytest.raises(BusyError):
        server.client(retries=2).answer("who?")
    assert (server.requests, server.waits) == (3, [0.5, 1.0])


def test_a_wait_of_more_than_a_minute_is_raised_at_once():
    server = Server(problem(503, retry_after="61"))
    with pytest.raises(BusyError) as busy:
        server.client().answer("who?")
    assert busy.value.retry_after == 61
    assert server.waits == []


def test_a_response_that_does_not_come_is_not_asked_for_twice():
    server = Server(httpx.ReadTimeout("slow"))
    with pytest.raises(UnreachableError):
        server.client().answer("who?")
    assert server.requests == 1


def test_a_stream_is_begun_again_but_not_once_it_is_told():
    events = f"event: read\ndata: {{}}\n\nevent: response\ndata: {answer().text}\n\n"
    server = Server(problem(503), httpx.Response(200, text=events))
    *_, last = server.client().stream("who?")
    assert last.answer == "Gustave Eiffel"
    assert server.requests == 2
    cut = Server(httpx.Response(200, text="event: read\ndata: {}\n\n: still at work\n\n"))
    with pytest.raises(UnexpectedResponseError, match="The stream ended before the answer was there"):
        list(cut.client().stream("who?"))
    assert cut.requests == 1


@pytest.mark.parametrize("status", [200, 500])
async def test_a_response_that_breaks_off_is_told_and_not_asked_for_twice(status):
    def server():
        return Server(httpx.Response(status, stream=BrokenOff()))

    broke_off = r"^The response of the server at 'http://127\.0\.0\.1:8000' broke off \(cut\); ask again\.$"
    for ask in (lambda client: client.answer("who?"), lambda client: list(client.stream("who?"))):
        waiting = server()
        with pytest.raises(UnreachableError, match=broke_off):
            ask(waiting.client())
        assert waiting.requests == 1
    async with server().async_client() as client:
        with pytest.raises(UnreachableError, match=broke_off):
            await client.answer("who?")
    async with server().async_client() as client:
        with pytest.raises(UnreachableError, match=broke_off):
            [event async for event in client.stream("who?")]
