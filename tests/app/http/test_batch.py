"""POST /answers: each question ends as its response or as its own problem, in order, one at a time."""

import asyncio
import json
import logging
import time
from contextlib import asynccontextmanager

import httpx
import pytest

from app.http.server import create_app
from app.service.settings import Settings
from tests.app.http.conftest import service_over, serving, until_ready
from tests.app.http.telemetry.test_metrics import scraped
from tests.app.http.test_requests import ASKED, problem_of
from tests.app.http.test_serving import CountingCiter, HeldGenerator, ask

CAFE = {"question": "When did the first café of Vienna open?", "include": ["hits"], "top_k": 2}
WITHOUT_TIMES = ("timings_ms",)


@pytest.fixture
def held():
    generator = HeldGenerator()
    yield generator
    generator.released.set()


def untimed(response: dict) -> dict:
    return {name: value for name, value in response.items() if name not in WITHOUT_TIMES}


async def posted(client: httpx.AsyncClient, *questions: object) -> list[dict]:
    response = await client.post("/answers", json={"questions": list(questions)})
    assert response.status_code == 200
    return response.json()["items"]


def problem_in(item: dict, status: int) -> dict:
    [(kind, problem)] = item.items()
    assert (kind, problem["status"]) == ("problem", status)
    assert set(problem) == {"type", "title", "status", "detail", "request_id"}
    return problem


async def test_each_question_is_answered_as_it_would_be_alone_in_the_order_asked(client):
    unsure = {**ASKED, "min_confidence": 1}
    items = await posted(client, ASKED, CAFE, unsure)
    for item, question in zip(items, (ASKED, CAFE, unsure), strict=True):
        alone = (await client.post("/answer", json=question)).json()
        assert list(item) == ["response"]
        assert untimed(item["response"]) == untimed(alone)
    assert len(items[1]["response"]["hits"]) == 2
    assert items[2]["response"]["abstained"] is True


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"question": " "}, "The question is blank; ask something in 1 to 2,000 characters."),
        (
            {"question": "who\0?"},
            "The question holds the control character U+0000 at offset 3; leave it out.",
        ),
        (
            {**ASKED, "top_k": 0},
            "The field top_k is 0, but it must be a whole number from 1 to 100.",
        ),
        (
            {**ASKED, "documents": [{"text": "A tower."}]},
            "The field 'documents' is not known; known are question, top_k, min_confidence, length, filter, include.",
        ),
        ({"top_k": 3}, "The field question is missing, but it must be a text of 1 to 2,000 characters."),
        (
            "who?",
            "The question is 'who?', but it must be an object such as "
            '{"question": "who designed the eiffel tower"}.',
        ),
        (None, "The question is None, but it must be an object such as"),
    ],
    ids=["blank", "control character", "range", "documents", "missing", "text", "null"],
)
async def test_a_bad_question_is_refused_in_its_place_and_the_others_are_answered(client, question, sentence):
    first, refused, last = await posted(client, ASKED, question, CAFE)
    problem = problem_in(refused, 422)
    assert problem["type"] == "urn:loccit:problem:invalid-request"
    assert problem["detail"].startswith(sentence)
    assert first["response"]["question"] == ASKED["question"]
    assert last["response"]["question"] == CAFE["question"]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"questions": []}, "The field questions is [], but it must be a list of objects with a question"),
        (
            {"questions": ASKED},
            "The field questions is {'question': 'who designed the eiffel tower'}, but it",
        ),
        (
            {},
            "The field questions is missing, but it must be a list of objects with a question each, at least one.",
        ),
        ({"question": "who?"}, "The field 'question' is not known; known are questions."),
        (
            [ASKED],
            "The body is [{'question': 'who designed the eiffel tower'}], but it must be a JSON object such",
        ),
        (
            {"questions": [ASKED] * 33},
            "33 questions were given, but at most 32 are accepted; send them in several",
        ),
        (
            {"questions": [1] * 1_001},
            "1,001 questions were given, but at most 32 are accepted; send them in several",
        ),
    ],
    ids=["none", "no list", "missing", "unknown", "bare list", "too many", "far too many"],
)
async def test_a_batch_of_a_wrong_shape_is_refused_whole_with_one_sentence(client, body, sentence):
    problem = problem_of(await client.post("/answers", json=body), 422)
    assert problem["detail"].startswith(sentence)


async def test_the_most_questions_are_a_setting(client):
    async with serving(lambda _: service_over(), max_questions=1) as strict:
        assert len(await posted(strict, ASKED)) == 1
        problem_of(await strict.post("/answers", json={"questions": [ASKED, ASKED]}), 422)


async def test_other_clients_come_in_between_the_questions_of_a_batch(held):
    async with serving(lambda _: service_over(generator=held)) as client:
        batch = asyncio.create_task(posted(client, *({"question": f"tower {n}"} for n in (1, 2, 3))))
        await held.wait_until_entered()
        other = ask(client, "tower of another client")
        await asyncio.sleep(0.05)
        held.released.set()
        assert (await other).status_code == 200
        assert len(await batch) == 3
    assert held.questions == ["tower 1", "tower of another client", "tower 2", "tower 3"]
    assert held.most_at_once == 1


async def test_a_question_that_takes_too_long_is_a_problem_in_its_place(held):
    async with serving(lambda _: service_over(generator=held), timeout_s=0.3) as client:
        batch = asyncio.create_task(posted(client, ASKED, {"question": " "}))
        await held.wait_until_entered()
        late, refused = await batch
        held.released.set()
    assert problem_in(late, 504)["detail"].startswith("There was no answer within 0.3 seconds")
    problem_in(refused, 422)


async def test_a_batch_that_finds_the_queue_full_waits_for_its_places_and_is_answered(held):
    async with serving(lambda _: service_over(generator=held), max_waiting=2) as client:
        others = [ask(client, f"tower of client {n}") for n in (1, 2, 3)]
        await held.wait_until_entered()
        await asyncio.sleep(0.05)
        batch = asyncio.create_task(posted(client, *({"question": f"tower {n}"} for n in range(5))))
        await asyncio.sleep(0.1)
        assert not batch.done()
        held.released.set()
        assert [next(iter(item)) for item in await batch] == ["response"] * 5
        assert [(await other).status_code for other in others] == [200] * 3
    assert held.questions[-5:] == [f"tower {n}" for n in range(5)]


async def test_a_question_waits_for_a_place_no_longer_than_for_its_answer(held):
    async with serving(lambda _: service_over(generator=held), max_waiting=1, timeout_s=0.3) as client:
        ask(client, "tower one")
        await held.wait_until_entered()
        ask(client, "tower two")
        await asyncio.sleep(0.05)
        started = time.monotonic()
        late, refused = await posted(client, ASKED, {"question": " "})
        assert 0.25 < time.monotonic() - started < 5
        assert problem_in(late, 504)["detail"].startswith("There was no answer within 0.3 seconds")
        problem_in(refused, 422)
        assert (await scraped(client))["loccit_questions_waiting",] == 0
        held.released.set()
    assert held.questions == ["tower one"]


async def test_an_unforeseen_error_is_told_in_its_place_without_internals_and_logged(caplog):
    class Broken(HeldGenerator):
        def generate(self, question, readings, **options):
            if question == "break":
                raise KeyError("secret/path")
            return super().generate(question, readings, **options)

    broken = Broken()
    broken.released.set()
    async with serving(lambda _: service_over(generator=broken)) as client:
        failed, answered = await posted(client, {"question": "break"}, ASKED)
    assert "secret" not in problem_in(failed, 500)["detail"]
    assert "secret/path" in caplog.text
    assert answered["response"]["question"] == ASKED["question"]


async def test_before_the_models_have_answered_the_whole_is_refused():
    def never(_):
        raise AssertionError

    async with serving(never, ready=False) as client:
        response = await client.post("/answers", json={"questions": [ASKED]})
    assert problem_of(response, 503)["type"] == "urn:loccit:problem:not-ready"


class Leaving:
    """A client that posts a batch of two and then goes."""

    def __init__(self, app) -> None:
        self._app = app
        body = json.dumps({"questions": [{"question": "tower 1"}, {"question": "tower 2"}]}).encode()
        self._messages = [{"type": "http.request", "body": body, "more_body": False}]
        self._gone = asyncio.Event()
        self.sent: list[dict] = []

    def post(self) -> asyncio.Task[None]:
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/answers",
            "raw_path": b"/answers",
            "query_string": b"",
            "headers": [(b"content-type", b"application/json")],
        }
        return asyncio.create_task(self._app(scope, self._receive, self._send))

    def go(self) -> None:
        self._gone.set()

    async def _receive(self) -> dict:
        if self._messages:
            return self._messages.pop()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict) -> None:
        self.sent.append(message)


@asynccontextmanager
async def app_and_client(service, **given):
    app = create_app(Settings.of(**given), open_service=lambda _: service, on_failure=print)
    transport = httpx.ASGITransport(app=app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://loccit") as client,
    ):
        await until_ready(client)
        yield app, client


async def test_it_stops_when_the_client_has_gone(held, caplog):
    caplog.set_level(logging.INFO)
    service = service_over(generator=held)
    citer = CountingCiter(service.pipeline.citer)
    object.__setattr__(service.pipeline, "citer", citer)
    async with app_and_client(service) as (app, client):
        leaving = Leaving(app)
        batch = leaving.post()
        await held.wait_until_entered()
        leaving.go()
        await batch
        held.released.set()
        assert (await client.post("/answer", json=ASKED)).status_code == 200
    assert leaving.sent[0]["status"] == 499
    assert held.questions == ["tower 1", ASKED["question"]]
    assert citer.questions == {ASKED["question"]}


async def test_a_client_that_goes_gives_up_its_waiting_for_a_place(held):
    async with app_and_client(service_over(generator=held), max_waiting=1) as (app, client):
        others = [ask(client, "tower one"), ask(client, "tower two")]
        await held.wait_until_entered()
        await asyncio.sleep(0.05)
        leaving = Leaving(app)
        batch = leaving.post()
        await asyncio.sleep(0.1)
        assert (await scraped(client))["loccit_questions_waiting",] == 2
        leaving.go()
        await batch
        assert (await scraped(client))["loccit_questions_waiting",] == 1
        held.released.set()
        assert [(await other).status_code for other in others] == [200, 200]
    assert leaving.sent[0]["status"] == 499
    assert sorted(held.questions) == ["tower one", "tower two"]
