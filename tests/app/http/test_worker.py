"""The worker: one job at a time, its values handed over as they come."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing

import pytest

from app.http.worker import AHEAD, BusyError, StoppingError, Worker
from common.deadline import Deadline
from common.turn import aside


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    worker = Worker(max_waiting=1)
    worker.start()
    yield worker
    await asyncio.to_thread(worker.close, patience_s=5)
    assert not worker.at_work


class Counting:
    """Gives numbers without end and remembers how many were made."""

    def __init__(self) -> None:
        self.made = 0
        self.ended = threading.Event()

    def __call__(self) -> Iterator[int]:
        try:
            while True:
                self.made += 1
                yield self.made
        finally:
            self.ended.set()


async def within_time(event: threading.Event) -> bool:
    return await asyncio.to_thread(event.wait, 10)


async def test_values_come_in_their_order_while_the_work_goes_on(worker):
    first_was_read = threading.Event()

    def work():
        yield "first"
        assert first_was_read.wait(10)
        yield "second"

    values = []
    async with aclosing(worker.stream(work)) as stream:
        async for value in stream:
            values.append(value)
            first_was_read.set()
    assert values == ["first", "second"]


async def test_work_without_values_is_a_stream_without_values(worker):
    assert [value async for value in worker.stream(lambda: iter(()))] == []


async def test_do_returns_the_one_value_be_it_none(worker):
    assert await worker.do(lambda: 3) == 3
    assert await worker.do(lambda: None) is None


async def test_work_gets_no_further_ahead_of_its_reader_than_it_may(worker):
    counting = Counting()
    async with aclosing(worker.stream(counting)) as stream:
        assert await anext(stream) == 1
        await asyncio.sleep(0.2)
        assert counting.made <= AHEAD + 2  # those unread, one more that waits for room, the one that was read
        assert [await anext(stream) for _ in range(40)] == list(range(2, 42))
    assert await within_time(counting.ended)


async def test_work_that_waits_for_its_reader_ends_when_the_reader_goes(worker):
    counting = Counting()
    async with aclosing(worker.stream(counting)) as stream:
        await anext(stream)
        await asyncio.sleep(0.2)
    assert await within_time(counting.ended)
    assert await worker.do(lambda: "next") == "next"


async def test_a_reader_that_is_cancelled_stops_the_work_before_its_next_value(worker):
    entered, go_on, made = threading.Event(), threading.Event(), []

    def work():
        for number in range(3):
            made.append(number)
            yield number
            entered.set()
            assert go_on.wait(10)

    async def read():
        async for _ in worker.stream(work):
            pass

    reading = asyncio.create_task(read())
    assert await within_time(entered)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    go_on.set()
    assert await worker.do(lambda: "next") == "next"
    assert made == [0, 1]  # the second was under way, the third was not begun


async def test_work_under_way_is_told_by_its_deadline_that_its_reader_has_gone(worker):
    entered, stopped, deadline = threading.Event(), threading.Event(), Deadline()

    def work():
        entered.set()
        while not deadline.over:
            time.sleep(0.01)
        stopped.set()
        yield from ()

    reading = asyncio.create_task(anext(worker.stream(work, deadline)))
    assert await within_time(entered)
    assert not stopped.is_set()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert await within_time(stopped)


async def test_an_error_arrives_after_the_values_before_it(worker):
    def work():
        yield 1
        raise KeyError("spoilt")

    async with aclosing(worker.stream(work)) as stream:
        assert await anext(stream) == 1
        with pytest.raises(KeyError, match="spoilt"):
            await anext(stream)
    assert await worker.do(lambda: "alive") == "alive"


async def test_those_who_wait_are_bounded_and_a_place_is_given_back(worker):
    go_on, entered = threading.Event(), threading.Event()

    def held():
        entered.set()
        assert go_on.wait(10)

    first = asyncio.create_task(worker.do(held))
    assert await within_time(entered)
    never = Counting()
    waiting = asyncio.create_task(anext(worker.stream(never)))
    await asyncio.sleep(0.02)
    with pytest.raises(BusyError):
        await worker.do(int)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    last = asyncio.create_task(worker.do(lambda: "last"))
    await asyncio.sleep(0.02)
    go_on.set()
    assert (await first, await last) == (None, "last")
    assert never.made == 0


async def test_who_is_patient_waits_for_a_place_behind_those_who_have_one_and_nobody_overtakes(worker):
    go_on, entered, done = threading.Event(), threading.Event(), []

    def held():
        entered.set()
        assert go_on.wait(10)

    def patient(number):
        return worker.stream(lambda: iter([done.append(number)]), patient=True)

    first = asyncio.create_task(worker.do(held))
    assert await within_time(entered)
    waiting = asyncio.create_task(worker.do(lambda: done.append("waiting")))
    await asyncio.sleep(0.02)
    streams = [patient(number) for number in range(3)]
    coming = [asyncio.create_task(anext(stream)) for stream in streams]
    await asyncio.sleep(0.02)
    assert (worker.waiting, done) == (4, [])
    coming[1].cancel()
    await asyncio.gather(coming[1], return_exceptions=True)
    assert worker.waiting == 3
    with pytest.raises(BusyError, match="3 questions are waiting already"):
        await worker.do(int)
    go_on.set()
    await asyncio.gather(first, waiting, coming[0], coming[2])
    assert done == ["waiting", 0, 2]
    assert await worker.do(lambda: "next") == "next"


async def test_who_is_patient_is_turned_away_with_the_others(worker):
    go_on, entered = threading.Event(), threading.Event()

    def held():
        entered.set()
        assert go_on.wait(10)

    first = asyncio.create_task(worker.do(held))
    assert await within_time(entered)
    waiting = [asyncio.create_task(anext(worker.stream(Counting(), patient=True))) for _ in range(3)]
    await asyncio.sleep(0.02)
    worker.turn_away()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoppingError] * 3
    go_on.set()
    await first


async def test_closing_turns_away_who_waits_and_lets_the_job_under_way_end(worker):
    go_on, entered = threading.Event(), threading.Event()

    def work():
        yield 1
        entered.set()
        assert go_on.wait(10)
        yield 2

    async def read():
        return [value async for value in worker.stream(work)]

    under_way = asyncio.create_task(read())
    assert await within_time(entered)
    waiting = asyncio.create_task(worker.do(int))
    await asyncio.sleep(0.02)
    threading.Timer(0.1, go_on.set).start()
    await asyncio.to_thread(worker.close, patience_s=5)
    with pytest.raises(StoppingError):
        await waiting
    assert await under_way == [1, 2]
    with pytest.raises(StoppingError):
        await worker.do(int)


async def test_a_job_may_go_before_all_who_wait_however_many_they_are(worker):
    go_on, entered, done = threading.Event(), threading.Event(), []

    def held():
        entered.set()
        assert go_on.wait(10)

    first = asyncio.create_task(worker.do(held))
    assert await within_time(entered)
    waiting = asyncio.create_task(worker.do(lambda: done.append("waited")))
    await asyncio.sleep(0.02)
    urgent = asyncio.create_task(worker.do(lambda: done.append("went first"), goes_first=True))
    await asyncio.sleep(0.02)
    go_on.set()
    await asyncio.gather(first, waiting, urgent)
    assert done == ["went first", "waited"]


async def test_turned_away_nobody_waits_and_the_job_under_way_goes_on(worker):
    go_on, entered = threading.Event(), threading.Event()

    def held():
        entered.set()
        assert go_on.wait(10)
        return "done"

    under_way = asyncio.create_task(worker.do(held))
    assert await within_time(entered)
    waiting = asyncio.create_task(worker.do(int))
    await asyncio.sleep(0.02)
    worker.turn_away()
    with pytest.raises(StoppingError):
        await waiting
    with pytest.raises(StoppingError):
        await worker.do(int, goes_first=True)
    go_on.set()
    assert await under_way == "done"


class Waits:
    """A job that stands aside until it is told to go on, and notes when it does."""

    def __init__(self, done: list[str]) -> None:
        self._done = done
        self.waiting, self.go_on = threading.Event(), threading.Event()

    def __call__(self) -> None:
        with aside():
            self.waiting.set()
            assert self.go_on.wait(10)
        self._done.append("went on")


async def test_while_a_job_stands_aside_those_that_may_pass_are_done_and_the_others_wait():
    worker, done = Worker(max_waiting=8), []
    worker.start()
    waits = Waits(done)
    first = asyncio.create_task(worker.do(waits))
    assert await within_time(waits.waiting)
    second = asyncio.create_task(worker.do(lambda: done.append("waited")))
    await worker.do(lambda: done.append("passed"), passes=True)
    await worker.do(lambda: done.append("passed, too"), passes=True)
    assert done == ["passed", "passed, too"]
    waits.go_on.set()
    await asyncio.gather(first, second)
    assert done == ["passed", "passed, too", "went on", "waited"]
    await asyncio.to_thread(worker.close, patience_s=5)
    assert not worker.at_work


async def test_a_job_that_stood_aside_goes_on_only_when_the_one_that_passes_is_done():
    worker, done = Worker(max_waiting=8), []
    worker.start()
    waits, passing, end = Waits(done), threading.Event(), threading.Event()

    def passes() -> None:
        passing.set()
        assert end.wait(10)
        done.append("passed")

    first = asyncio.create_task(worker.do(waits))
    assert await within_time(waits.waiting)
    other = asyncio.create_task(worker.do(passes, passes=True))
    assert await within_time(passing)
    waits.go_on.set()
    await asyncio.sleep(0.1)
    assert done == []
    assert worker.busy
    end.set()
    await asyncio.gather(first, other)
    assert done == ["passed", "went on"]
    await asyncio.to_thread(worker.close, patience_s=5)


async def test_a_job_that_may_pass_waits_for_one_that_works(worker):
    go_on, entered, done = threading.Event(), threading.Event(), []

    def works() -> None:
        entered.set()
        assert go_on.wait(10)
        done.append("worked")

    first = asyncio.create_task(worker.do(works))
    assert await within_time(entered)
    other = asyncio.create_task(worker.do(lambda: done.append("came after"), passes=True))
    await asyncio.sleep(0.1)
    assert done == []
    go_on.set()
    await asyncio.gather(first, other)
    assert done == ["worked", "came after"]
