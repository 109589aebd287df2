"""The host: a question's events from the worker to whoever asks, in time, and logged once."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from app.answering.events import Decided
from app.answering.generators.protocol import Generator
from app.answering.options import AnswerLength
from app.answering.trace_json.events import event_as_json
from app.http.host import Host, NotReadyError
from app.service.ask import Ask
from app.service.settings import Settings
from common.errors import DeadlineExceededError
from retriever.types import Document
from tests.app.http.conftest import service_over
from tests.app.http.test_serving import CountingCiter, HeldGenerator

QUESTION = "who designed the eiffel tower"


@asynccontextmanager
async def hosting(generator: Generator | None = None, **settings: object) -> AsyncIterator[Host]:
    host = Host(Settings.of(**settings), lambda _: service_over(generator=generator))
    host.start()
    await host.load()
    try:
        yield host
    finally:
        await asyncio.to_thread(host.close)


async def forms(host: Host, ask: Ask) -> list[dict]:
    return [event_as_json(event) async for event in host.events(ask)]


def outcomes(caplog) -> list[str]:
    return [record.answer["outcome"] for record in caplog.records if hasattr(record, "answer")]


async def test_every_event_of_a_question_comes_out_and_the_last_is_what_is_answered(caplog):
    caplog.set_level(logging.INFO)
    async with hosting() as host:
        happened = await forms(host, Ask(QUESTION))
        response = (await host.answer(Ask(QUESTION))).as_json()
    assert [form["event"] for form in happened] == [
        "retrieved",
        "read",
        "generated",
        "located",
        "supported",
        "decided",
    ]
    trace = happened[-1]["trace"]
    assert (happened[0]["hits"], happened[4]["cited"]) == (trace["hits"], trace["cited"])
    assert list(trace["timings_ms"]) == [
        "wait",
        "retrieve",
        "read",
        "generate",
        "cite",
        "support",
        "decide",
        "total",
    ]
    assert response["citations"] == trace["decision"]["citations"]
    assert outcomes(caplog) == ["answered", "answered"]


async def test_a_long_answer_from_documents_handed_in_is_composed_and_its_index_timed():
    ask = Ask(QUESTION, documents=(Document("d", "T", "Ann designed the Eiffel tower."),))
    async with hosting() as host:
        *_, composed, decided = await forms(host, Ask(QUESTION, 5, 0.0, ask.documents, AnswerLength.LONG))
    assert composed["event"] == "composed"
    assert list(decided["trace"]["timings_ms"])[:3] == ["wait", "index", "retrieve"]


async def test_until_the_models_have_answered_it_refuses_at_once():
    with pytest.raises(NotReadyError):
        Host(Settings.of(), lambda _: service_over()).events(Ask(QUESTION))


async def test_whoever_stops_reading_stops_the_work_and_is_logged_as_gone(caplog):
    caplog.set_level(logging.INFO)
    held = HeldGenerator()
    citers = []

    def open_service(_):
        service = service_over(generator=held)
        citers.append(CountingCiter(service.pipeline.citer))
        object.__setattr__(service.pipeline, "citer", citers[0])
        return service

    host = Host(Settings.of(), open_service)
    host.start()
    await host.load()
    async with aclosing(host.events(Ask("gone?"))) as happening:
        await anext(happening)
        await held.wait_until_entered()
    held.released.set()
    assert isinstance([event async for event in host.events(Ask(QUESTION))][-1], Decided)
    await asyncio.to_thread(host.close)
    assert citers[0].questions == {QUESTION}
    assert outcomes(caplog) == ["abandoned", "answered"]


async def test_an_event_that_does_not_come_in_time_is_a_sentence_and_what_came_before_was_handed_on(caplog):
    caplog.set_level(logging.INFO)
    held, happened = HeldGenerator(), []
    async with hosting(held, timeout_s=0.3) as host:

        async def read() -> None:
            async for event in host.events(Ask(QUESTION)):
                happened.append(event_as_json(event)["event"])

        with pytest.raises(DeadlineExceededError, match=r"no answer within 0\.3 seconds"):
            await read()
        held.released.set()
    assert happened == ["retrieved", "read"]
    assert outcomes(caplog) == ["DeadlineExceededError"]
