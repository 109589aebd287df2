"""POST /answer/stream: the stages as they are done, then the response; every stream ends."""

import asyncio
import json

import httpx
import pytest

from app.answering.generators.reader_generator import ReaderGenerator
from app.http.event_stream import EventStream, frames_of
from app.http.server import create_app
from app.service.settings import Settings
from tests.app.http.conftest import service_over, serving, until_ready
from tests.app.http.test_requests import ASKED, problem_of
from tests.app.http.test_serving import HeldGenerator

STAGES = ["retrieved", "read", "generated", "located", "supported"]


@pytest.fixture
def held():
    generator = HeldGenerator()
    yield generator
    generator.released.set()


def events_of(text: str) -> list[tuple[str, dict]]:
    blocks = [block for block in text.split("\n\n") if block and not block.startswith(":")]
    lines = [block.split("\n") for block in blocks]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in lines]


def without_timings(response: dict) -> dict:
    return {name: value for name, value in response.items() if name != "timings_ms"}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"include": ["alternatives", "hits"]},
        {"min_confidence": 1},
        {"documents": [{"text": "The tower was designed by Ann 🗼."}]},
    ],
    ids=["plain", "more included", "abstained", "documents"],
)
async def test_each_stage_is_an_event_and_the_last_is_the_response(client, given):
    asked = {**ASKED, **given}
    response = await client.post("/answer/stream", json=asked)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = events_of(response.text)
    assert [name for name, _ in events] == [*STAGES, "response"]
    answered = (await client.post("/answer", json=asked)).json()
    assert without_timings(events[-1][1]) == without_timings(answered)
    assert events[-1][1]["timings_ms"].keys() == answered["timings_ms"].keys()


async def test_a_long_answer_tells_that_it_is_composed(client):
    response = await client.post("/answer/stream", json={**ASKED, "length": "long"})
    assert [name for name, _ in events_of(response.text)] == [*STAGES, "composed", "response"]


async def test_what_is_wrong_with_a_request_is_told_before_any_event(client):
    problem_of(await client.post("/answer/stream", json={"question": "who?", "top_k": 0}), 422)
    async with serving(lambda _: service_over(), ready=False) as starting:
        problem_of(await starting.post("/answer/stream", json=ASKED), 503)


async def test_a_failure_is_an_event_with_its_problem(caplog):
    class Broken(ReaderGenerator):
        def generate(self, question, readings, **options):
            if question == "break":
                raise KeyError("secret/path")
            return super().generate(question, readings, **options)

    async with serving(lambda _: service_over(generator=Broken())) as client:
        asked = {"json": {"question": "break"}, "headers": {"X-Request-ID": "mine"}}
        events = events_of((await client.post("/answer/stream", **asked)).text)
        problem = problem_of(await client.post("/answer", **asked), 500)
    assert [name for name, _ in events] == ["retrieved", "read", "error"]
    assert events[-1][1] == problem
    assert "secret/path" in caplog.text


async def test_a_stream_ends_with_an_error_when_its_time_is_over(held):
    async with serving(lambda _: service_over(generator=held), timeout_s=1) as client:
        events = events_of((await client.post("/answer/stream", json=ASKED)).text)
    assert [name for name, _ in events] == ["retrieved", "read", "error"]
    assert events[-1][1]["type"] == "urn:loccit:problem:deadline-exceeded"
    assert events[-1][1]["status"] == 504


async def test_a_stream_ends_with_an_error_when_too_many_wait(held):
    async with serving(lambda _: service_over(generator=held), max_waiting=1) as client:
        first = asyncio.create_task(client.post("/answer/stream", json=ASKED))
        await held.wait_until_entered()
        second = asyncio.create_task(client.post("/answer/stream", json=ASKED))
        await asyncio.sleep(0.05)
        [(name, problem)] = events_of((await client.post("/answer/stream", json=ASKED)).text)
        assert (name, problem["type"]) == ("error", "urn:loccit:problem:busy")
        held.released.set()
        for text in ((await first).text, (await second).text):
            assert events_of(text)[-1][0] == "response"


class Connection:
    """What a server sees of a client that posts a question and may hang up."""

    def __init__(self) -> None:
        self.hung_up = asyncio.Event()
        self.sent: list[dict] = []
        self._body = [{"type": "http.request", "body": json.dumps(ASKED).encode(), "more_body": False}]
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": "/answer/stream",
            "raw_path": b"/answer/stream",
            "root_path": "",
            "scheme": "http",
            "query_string": b"",
            "headers": [(b"content-type", b"application/json")],
            "server": ("loccit", 80),
            "client": ("127.0.0.1", 1),
        }

    async def receive(self) -> dict:
        if self._body:
            return self._body.pop()
        await self.hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict) -> None:
        self.sent.append(message)

    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()


async def test_events_come_as_they_happen_and_a_client_that_leaves_stops_the_work(held, caplog):
    app = create_app(Settings.of(), open_service=lambda _: service_over(generator=held), on_failure=print)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://loccit") as client,
    ):
        await until_ready(client)
        caplog.set_level("INFO")
        left = Connection()
        streaming = asyncio.create_task(app(left.scope, left.receive, left.send))
        await held.wait_until_entered()
        async with asyncio.timeout(5):
            while "event: read" not in left.text():
                await asyncio.sleep(0.01)
        left.hung_up.set()
        await asyncio.wait_for(streaming, 5)
        held.released.set()
        assert (await client.post("/answer", json=ASKED)).status_code == 200
    assert [name for name, _ in events_of(left.text())] == ["retrieved", "read"]
    outcomes = [record.answer["outcome"] for record in caplog.records if hasattr(record, "answer")]
    assert outcomes[-1] == "answered"
    assert "answered" not in outcomes[:-1]


async def test_a_silent_stream_is_kept_alive_by_comments():
    async def slow():
        while connection.text().count(": still at work\n\n") < 3:
            await asyncio.sleep(0.01)
        raise RuntimeError("over")
        yield

    connection = Connection()
    connection._body.clear()
    stream = EventStream(frames_of(slow(), keep_alive_s=0.1))
    await stream(connection.scope, connection.receive, connection.send)
    comments, error = connection.text().split("event: ")
    assert comments == ": still at work\n\n" * comments.count("\n\n")
    assert error.startswith("error\n")
    assert connection.sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
