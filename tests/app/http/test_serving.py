"""Serving: ready or not, one answer at a time, deadlines, clients that leave, failures."""

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import httpx
import pytest

from app.answering.answer_kind import AnswerKind
from app.answering.cite import Citer
from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.types import Candidate, Quote, Reading, ScoredSpan
from app.http.server import create_app
from app.service.settings import Settings
from common.deadline import Deadline
from common.errors import IndexUnusableError
from retriever.types import Document
from tests.app.http.conftest import service_over, serving, until_ready
from tests.app.http.test_requests import ASKED, problem_of


class HeldGenerator:
    """Answers like the reader, but not before ``released`` is set; the warm-up question passes."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.entered = threading.Semaphore(0)
        self.questions: list[str] = []
        self.threads: set[str] = set()
        self.at_once = self.most_at_once = 0

    def generate(
        self,
        question: str,
        readings: Sequence[Reading],
        *,
        kind: AnswerKind = AnswerKind.SHORT,
        n: int,
        seed: int,
        deadline: Deadline,
    ) -> list[Candidate]:
        if question.startswith("What is known"):
            return []
        self.questions.append(question)
        self.threads.add(threading.current_thread().name)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.entered.release()
        assert self.released.wait(20)
        self.at_once -= 1
        return ReaderGenerator().generate(question, readings, n=n, seed=seed, deadline=deadline)

    async def wait_until_entered(self) -> None:
        assert await asyncio.to_thread(self.entered.acquire, timeout=20)


class CountingCiter:
    """Cites like the one it holds and remembers for which questions."""

    def __init__(self, citer: Citer) -> None:
        self._citer = citer
        self.questions: set[str] = set()

    def cite(
        self, question: str, candidate: Candidate, document: Document, evidence: Sequence[ScoredSpan] = ()
    ) -> tuple[Quote, ...]:
        self.questions.add(question)
        return self._citer.cite(question, candidate, document, evidence)


@pytest.fixture
def held():
    generator = HeldGenerator()
    yield generator
    generator.released.set()


def ask(client: httpx.AsyncClient, question: str = ASKED["question"]) -> asyncio.Task[httpx.Response]:
    return asyncio.create_task(client.post("/answer", json={"question": question}))


async def test_until_the_models_have_answered_the_service_is_live_but_not_ready():
    may_open = threading.Event()

    def open_service(settings):
        assert may_open.wait(20)
        return service_over()

    async with serving(open_service, ready=False) as client:
        assert (await client.get("/health/live")).json() == {"status": "live"}
        for response in (
            await client.get("/health/ready"),
            await client.post("/answer", json=ASKED),
            await client.get("/documents/lighthouses/eddystone"),
        ):
            problem = problem_of(response, 503)
            assert problem["type"] == "urn:loccit:problem:not-ready"
            assert problem["detail"] == "The models are still loading; try again in a few seconds."
            assert int(response.headers["retry-after"]) > 0
        may_open.set()
        await until_ready(client)
        assert (await client.get("/health/ready")).json() == {
            "status": "ready",
            "generation": None,
            "model": {
                "encoder": "hashing",
                "reader": "lexical",
                "reader_sha256": None,
                "language_model": None,
                "language_model_sha256": None,
                "adapter_sha256": None,
                "support": "LexicalSupport",
            },
        }
        assert (await client.post("/answer", json=ASKED)).status_code == 200


async def test_a_service_that_opens_but_cannot_answer_is_never_ready():
    failures = []

    class Broken:
        def generate(self, *_, **__):
            raise RuntimeError("no weights after all")

    service = service_over(generator=Broken())
    async with serving(lambda _: service, ready=False, on_failure=failures.append) as client:
        async with asyncio.timeout(20):
            while not failures:
                await asyncio.sleep(0.01)
        assert (await client.get("/health/ready")).status_code == 503
    assert str(failures[0]) == "no weights after all"


async def test_a_service_that_cannot_be_opened_ends_the_process(caplog):
    failures = []

    def open_service(settings):
        raise IndexUnusableError("There is no index in nowhere; build one.")

    async with serving(open_service, ready=False, on_failure=failures.append):
        async with asyncio.timeout(20):
            while not failures:
                await asyncio.sleep(0.01)
    assert isinstance(failures[0], IndexUnusableError)
    assert "The service cannot start: There is no index in nowhere; build one." in caplog.messages


async def test_health_and_documents_answer_while_an_answer_is_under_way(held):
    async with serving(lambda _: service_over(generator=held)) as client:
        slow = ask(client)
        await held.wait_until_entered()
        started = time.monotonic()
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 200
        assert (await client.get("/documents/lighthouses/eddystone")).status_code == 200
        assert time.monotonic() - started < 5
        assert not slow.done()
        held.released.set()
        assert (await slow).status_code == 200


async def test_questions_are_answered_one_at_a_time_in_the_order_they_came(held):
    async with serving(lambda _: service_over(generator=held)) as client:
        asked = []
        for number in range(5):
            asked.append(ask(client, f"tower {number}"))
            await asyncio.sleep(0.02)
        held.released.set()
        assert {response.status_code for response in await asyncio.gather(*asked)} == {200}
    assert held.questions == [f"tower {number}" for number in range(5)]
    assert held.most_at_once == 1
    assert held.threads == {"loccit-worker"}


async def test_a_full_queue_refuses_with_the_time_to_come_back(held):
    async with serving(lambda _: service_over(generator=held), max_waiting=2) as client:
        accepted = [ask(client)]
        await held.wait_until_entered()
        accepted += [ask(client), ask(client)]
        await asyncio.sleep(0.1)
        response = await client.post("/answer", json=ASKED)
        problem = problem_of(response, 503)
        assert problem["type"] == "urn:loccit:problem:busy"
        assert problem["detail"] == "2 questions are waiting already; try again in a few seconds."
        assert response.headers["retry-after"] == "5"
        held.released.set()
        assert {one.status_code for one in await asyncio.gather(*accepted)} == {200}
        assert (await client.post("/answer", json=ASKED)).status_code == 200


async def test_a_slow_answer_is_504_and_the_next_question_is_answered(held):
    async with serving(lambda _: service_over(generator=held), timeout_s=0.3) as client:
        started = time.monotonic()
        problem = problem_of(await client.post("/answer", json=ASKED), 504)
        assert 0.25 < time.monotonic() - started < 5
        assert problem["type"] == "urn:loccit:problem:deadline-exceeded"
        assert problem["detail"] == (
            "There was no answer within 0.3 seconds, waiting included; ask again later, or for less."
        )
        held.released.set()
        await asyncio.sleep(0.1)
        assert (await client.post("/answer", json=ASKED)).status_code == 200


async def test_the_deadline_counts_the_time_spent_waiting(held):
    async with serving(lambda _: service_over(generator=held), timeout_s=1) as client:
        first = ask(client, "tower one")
        await held.wait_until_entered()
        await asyncio.sleep(0.2)
        second = ask(client, "tower two")
        assert {(await task).status_code for task in (first, second)} == {504}
        held.released.set()
        await asyncio.sleep(0.1)
        assert held.questions == ["tower one"]  # the second left the queue without being worked on


async def post_and_hang_up(app, hang_up: asyncio.Event) -> list[dict]:
    """What the app sends to a client that posts a question and then disconnects."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/answer",
        "raw_path": b"/answer",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
        "server": ("loccit", 80),
        "client": ("127.0.0.1", 1),
    }
    messages = [{"type": "http.request", "body": b'{"question": "gone?"}', "more_body": False}]
    sent = []

    async def receive():
        if messages:
            return messages.pop()
        await hang_up.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent


async def test_a_client_that_hangs_up_gives_its_place_back(held):
    settings = Settings.of(max_waiting=1)
    app = create_app(settings, open_service=lambda _: service_over(generator=held), on_failure=print)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://loccit") as client,
    ):
        await until_ready(client)
        first = ask(client, "tower one")
        await held.wait_until_entered()
        hang_up = asyncio.Event()
        waiting = asyncio.create_task(post_and_hang_up(app, hang_up))
        await asyncio.sleep(0.05)
        assert (await client.post("/answer", json=ASKED)).status_code == 503
        hang_up.set()
        assert (await waiting)[0]["status"] == 499
        last = ask(client, "tower two")
        await asyncio.sleep(0.05)
        held.released.set()
        assert [(await task).status_code for task in (first, last)] == [200, 200]
    assert held.questions == ["tower one", "tower two"]


async def test_an_answer_that_nobody_waits_for_is_not_finished(held, caplog):
    caplog.set_level(logging.INFO)
    service = service_over(generator=held)
    citer = CountingCiter(service.pipeline.citer)
    service = replace(service, pipeline=replace(service.pipeline, citer=citer))
    app = create_app(Settings.of(), open_service=lambda _: service, on_failure=print)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://loccit") as client,
    ):
        await until_ready(client)
        hang_up = asyncio.Event()
        answering = asyncio.create_task(post_and_hang_up(app, hang_up))
        await held.wait_until_entered()
        hang_up.set()
        assert (await answering)[0]["status"] == 499
        held.released.set()
        assert (await client.post("/answer", json=ASKED)).status_code == 200
    assert citer.questions == {ASKED["question"]}
    outcomes = [record.answer["outcome"] for record in caplog.records if hasattr(record, "answer")]
    assert outcomes == ["abandoned", "answered"]


async def test_those_who_wait_when_the_server_stops_are_told(held):
    async with serving(lambda _: service_over(generator=held)) as client:
        first = ask(client)
        await held.wait_until_entered()
        second = ask(client)
        await asyncio.sleep(0.05)
        threading.Timer(0.2, held.released.set).start()
    problem = problem_of(await second, 503)
    assert problem["detail"] == "The server is stopping; ask again when it is back."
    assert (await first).status_code == 200


async def test_an_unforeseen_error_is_500_without_internals_and_logged(caplog):
    class Broken(ReaderGenerator):
        def generate(self, question, readings, **options):
            if question == "break":
                raise KeyError("secret/path")
            return super().generate(question, readings, **options)

    async with serving(lambda _: service_over(generator=Broken())) as client:
        problem = problem_of(await client.post("/answer", json={"question": "break"}), 500)
        assert problem["detail"] == (
            "Something went wrong inside the service; its log says what. It is not your request's fault."
        )
        assert "POST /answer failed unexpectedly" in caplog.messages
        assert "secret/path" in caplog.text
        assert (await client.post("/answer", json=ASKED)).status_code == 200


async def test_an_error_that_python_does_not_count_as_one_leaves_the_worker_alive():
    class PanicError(BaseException):
        pass

    class Panicking(ReaderGenerator):
        def generate(self, question, readings, **options):
            if question == "panic":
                raise PanicError
            return super().generate(question, readings, **options)

    async with serving(lambda _: service_over(generator=Panicking())) as client:
        problem_of(await client.post("/answer", json={"question": "panic"}), 500)
        assert (await client.post("/answer", json=ASKED)).status_code == 200


async def test_an_answer_is_logged_in_one_line_without_the_question(client, caplog):
    caplog.set_level(logging.INFO)
    await client.post("/answer", json=ASKED)
    [record] = [record for record in caplog.records if record.name == "app.http.telemetry.answer_log"]
    assert record.levelno == logging.INFO
    assert record.answer["outcome"] == "answered"
    assert record.getMessage().startswith("answer outcome=answered confidence=0.")
    for key in ("hits=", "candidates=", "documents=0", "wait_ms=", "generate_ms=", "total_ms="):
        assert f" {key}" in record.getMessage()
    assert "eiffel" not in caplog.text.lower()


async def test_an_abstention_is_logged_by_its_reason(client, caplog):
    caplog.set_level(logging.INFO)
    await client.post("/answer", json={**ASKED, "min_confidence": 1})
    [record] = [record for record in caplog.records if record.name == "app.http.telemetry.answer_log"]
    assert record.answer["outcome"] == "low_confidence"
