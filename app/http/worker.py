"""One thread that does jobs in the order they came, with a bounded queue before it."""

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from common.errors import LoccitError

Result = TypeVar("Result")

AHEAD = 16
"""Values that a job may be ahead of whoever reads them; then it waits. A question has fewer events."""

_STOPPING = "The server is stopping; ask again when it is back."


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
    abandoned: bool = False
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
        """Nobody reads any more, so the work stops before its next value. Called in the event loop."""
        self.abandoned = True
        self._room.release()  # it may be waiting for room

    def do(self) -> None:
        """Hand over every value, or as many as are read. Called in the worker's thread.

        The context is that of whoever asked: what is logged on the way names their request.
        """
        self._context.run(self._do)

    def _do(self) -> None:
        if self.abandoned:
            return
        try:
            for value in self.work():
                self._room.acquire()
                if self.abandoned:
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
    """Does one job at a time beside the event loop; ``max_waiting`` more may wait.

    The thread is a daemon: a job that cannot be interrupted does not keep the process from ending.
    """

    def __init__(self, *, max_waiting: int) -> None:
        self._max_waiting = max_waiting
        self._jobs: deque[_Job] = deque()
        self._busy = self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="loccit-worker", daemon=True)

    def start(self) -> None:
        """Begin to do jobs."""
        self._thread.start()

    async def stream(self, work: Callable[[], Iterator[Result]]) -> AsyncGenerator[Result, None]:
        """The values that ``work`` gives, as they come; what it raises comes after them.

        Closing the stream, or cancelling whoever reads it, gives its place in the queue back, or stops the work
        before its next value.

        Raises:
            BusyError: when the queue is full.
            StoppingError: when the worker is closed before the job's turn came.
        """
        job = _Job(work)
        self._enter(job)
        try:
            while not isinstance(value := await job.next(), _End):
                yield value
            if value.error is not None:
                raise value.error
        finally:
            self._withdraw(job)

    async def do(self, work: Callable[[], Result]) -> Result:
        """What ``work`` returns or raises: a stream of one value."""

        def one_value() -> Iterator[Result]:
            yield work()

        async with aclosing(self.stream(one_value)) as values:
            return await anext(values)

    @property
    def at_work(self) -> bool:
        """Whether the thread is there, be it only to wait for the next job."""
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """Jobs in the queue."""
        return len(self._jobs)

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return self._busy

    def close(self, *, patience_s: float) -> None:
        """Turn away all who wait, and wait for the job under way, but no longer than this."""
        with self._changed:
            self._closed = True
            waiting, self._jobs = list(self._jobs), deque()
            self._changed.notify()
        for job in waiting:
            job.end(StoppingError(_STOPPING))
        self._thread.join(patience_s)

    def _enter(self, job: _Job) -> None:
        with self._changed:
            if self._closed:
                raise StoppingError(_STOPPING)
            if self._busy + len(self._jobs) > self._max_waiting:
                raise BusyError(
                    f"{len(self._jobs)} questions are waiting already; try again in a few seconds."
                )
            self._jobs.append(job)
            self._changed.notify()

    def _withdraw(self, job: _Job) -> None:
        job.abandon()
        with self._changed:
            if job in self._jobs:
                self._jobs.remove(job)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job.do()
            del job  # what it held is not kept until the next one comes

    def _next(self) -> _Job | None:
        with self._changed:
            self._busy = False
            self._changed.wait_for(lambda: self._jobs or self._closed)
            if self._closed:
                return None
            self._busy = True
            return self._jobs.popleft()
