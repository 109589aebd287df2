"""Jobs done one at a time in the order they came, with a bounded queue before them.

A job that waits for something elsewhere, such as a server, lets those pass that were marked for it.
"""

import asyncio
import contextvars
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from common.deadline import Deadline
from common.errors import LoccitError
from common.turn import Aside, let_aside

Result = TypeVar("Result")

AHEAD = 16
"""Values that a job may be ahead of whoever reads them; then it waits. A question has fewer events."""

STOPPING = "The server is stopping; ask again when it is back."
"""What those who wait are told then."""


class BusyError(LoccitError):
    """As many jobs wait as may."""


class StoppingError(LoccitError):
    """The worker takes no more jobs."""


@dataclass(frozen=True, slots=True)
class _End:
    """No more values come. ``error``: why, unless all of them came."""

    error: Exception | None = None


@dataclass(slots=True, eq=False)
class _Job:
    """Work that gives values, and the way they take from the worker's thread to the event loop."""

    work: Callable[[], Iterator[Any]]
    deadline: Deadline
    passes: bool
    _context: contextvars.Context = field(default_factory=contextvars.copy_context)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.get_running_loop)
    _values: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    _room: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(AHEAD))

    async def next(self) -> Any:  # noqa: ANN401 - a value of the work, or its end
        """What comes next, called by the reader in the event loop."""
        value = await self._values.get()
        self._room.release()
        return value

    def abandon(self) -> None:
        """Nobody reads any more, so the work stops. Called in the event loop."""
        self.deadline.give_up()
        self._room.release()  # it may be waiting for room

    def do(self, aside: Aside | None = None) -> None:
        """Hand over every value, or as many as are read. Called in a thread of the worker.

        The context is that of whoever asked: what is logged on the way names their request. ``aside``: how the work
        lets others pass while it waits for something elsewhere; None where it does not.
        """
        self._context.run(self._do, aside)

    def _do(self, aside: Aside | None) -> None:
        if self.deadline.given_up:
            return
        if aside is not None:
            let_aside(aside)
        try:
            for value in self.work():
                self._room.acquire()
                if self.deadline.given_up:
                    return
                self._send(value)
            self.end()
        except Exception as error:
            self.end(error)
        except BaseException as error:  # a library's panic: it must not end the thread
            self.end(RuntimeError(f"{type(error).__name__}: {error}"))

    def end(self, error: Exception | None = None) -> None:
        """Tell the reader that no more values come."""
        self._send(_End(error))

    def _send(self, value: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._values.put_nowait, value)


class Worker:
    """Does one job at a time beside the event loop; ``max_waiting`` more may wait, and those that are patient.

    Only while the job under way stands ``aside`` (see ``common.turn``) is another one done, in a second thread: one
    that was marked with ``passes``. The job under way goes on when that is done, so no two ever work at once.

    The threads are daemons: a job that cannot be interrupted does not keep the process from ending.
    """

    def __init__(self, *, max_waiting: int, name: str = "loccit-worker") -> None:
        self._max_waiting = max_waiting
        self._jobs: deque[_Job] = deque()
        self._busy = self._closed = self._stands_aside = self._passing = False
        self._changed = threading.Condition()
        self._threads = (
            threading.Thread(target=self._work, name=name, daemon=True),
            threading.Thread(target=self._pass, name=f"{name}-passing", daemon=True),
        )

    def start(self) -> None:
        """Begin to do jobs."""
        for thread in self._threads:
            thread.start()

    async def stream(
        self,
        work: Callable[[], Iterator[Result]],
        deadline: Deadline | None = None,
        *,
        goes_first: bool = False,
        passes: bool = False,
        patient: bool = False,
    ) -> AsyncGenerator[Result, None]:
        """The values that ``work`` gives, as they come; what it raises comes after them.

        Closing the stream, or cancelling whoever reads it, gives its place in the queue back, or stops the work
        before its next value. ``deadline``: what the work itself looks at; it is given up then, so that the work can
        stop before that. ``goes_first``: before all who wait, however many they are. ``passes``: also while the job
        under way stands aside; the work must not stand aside itself. ``patient``: waits for a place where the queue is
        full, ahead of whoever comes later; nobody else is taken on until the queue is short enough again.

        Raises:
            BusyError: when the queue is full, unless it is patient.
            StoppingError: when the worker is closed before the job's turn came.
        """
        job = _Job(work, deadline or Deadline(), passes)
        self._enter(job, goes_first=goes_first, patient=patient)
        try:
            while not isinstance(value := await job.next(), _End):
                yield value
            if value.error is not None:
                raise value.error
        finally:
            self._withdraw(job)

    async def do(
        self, work: Callable[[], Result], *, goes_first: bool = False, passes: bool = False
    ) -> Result:
        """What ``work`` returns or raises: a stream of one value."""

        def one_value() -> Iterator[Result]:
            yield work()

        async with aclosing(self.stream(one_value, goes_first=goes_first, passes=passes)) as values:
            return await anext(values)

    @property
    def at_work(self) -> bool:
        """Whether a thread is there, be it only to wait for the next job."""
        return any(thread.is_alive() for thread in self._threads)

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return len(self._jobs)

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return self._busy or self._passing

    def turn_away(self) -> None:
        """Take no more jobs, and turn away all who wait; the job under way goes on."""
        with self._changed:
            self._closed = True
            waiting, self._jobs = list(self._jobs), deque()
            self._changed.notify_all()
        for job in waiting:
            job.end(StoppingError(STOPPING))

    def close(self, *, patience_s: float) -> None:
        """Turn away all who wait, and wait for the job under way, but no longer than this."""
        self.turn_away()
        last = time.monotonic() + patience_s
        for thread in self._threads:
            thread.join(max(last - time.monotonic(), 0.0))

    def _enter(self, job: _Job, *, goes_first: bool, patient: bool) -> None:
        with self._changed:
            if self._closed:
                raise StoppingError(STOPPING)
            if goes_first:
                self._jobs.appendleft(job)
                self._changed.notify_all()
                return
            if self._busy + len(self._jobs) > self._max_waiting and not patient:
                raise BusyError(
                    f"{len(self._jobs)} questions are waiting already; try again in a few seconds."
                )
            self._jobs.append(job)
            self._changed.notify_all()

    def _withdraw(self, job: _Job) -> None:
        job.abandon()
        with self._changed:
            if job in self._jobs:
                self._jobs.remove(job)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job.do(self._aside)
            del job  # what it held is not kept until the next one comes

    def _pass(self) -> None:
        while (job := self._next_passing()) is not None:
            job.do()
            del job

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """The job under way waits for something elsewhere; it goes on when whoever passes is done."""
        with self._changed:
            self._stands_aside = True
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._stands_aside = False
                self._changed.wait_for(lambda: not self._passing)

    def _next(self) -> _Job | None:
        with self._changed:
            self._busy = False
            self._changed.wait_for(lambda: self._jobs or self._closed)
            if self._closed:
                return None
            self._busy = True
            return self._jobs.popleft()

    def _next_passing(self) -> _Job | None:
        with self._changed:
            self._passing = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or (self._stands_aside and self._first_passing()))
            job = None if self._closed else self._first_passing()
            if job is not None:
                self._passing = True
                self._jobs.remove(job)
            return job

    def _first_passing(self) -> _Job | None:
        return next((job for job in self._jobs if job.passes), None)
