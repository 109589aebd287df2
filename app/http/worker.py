"""One thread that does jobs in the order they came, with a bounded queue before it."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from common.errors import LoccitError

Result = TypeVar("Result")


class BusyError(LoccitError):
    """As many jobs wait as may."""


class StoppingError(LoccitError):
    """The worker takes no more jobs."""


@dataclass(slots=True, eq=False)
class _Job:
    work: Callable[[], Any]
    result: Future[Any] = field(default_factory=Future)

    def do(self) -> None:
        if not self.result.set_running_or_notify_cancel():
            return
        try:
            self.result.set_result(self.work())
        except Exception as error:
            self.result.set_exception(error)
        except BaseException as error:  # a library's panic: it must not end the thread
            self.result.set_exception(RuntimeError(f"{type(error).__name__}: {error}"))


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

    async def do(self, work: Callable[[], Result]) -> Result:
        """What ``work`` returns or raises. Cancelling gives its place in the queue back.

        Raises:
            BusyError: when the queue is full.
            StoppingError: when the worker is closed before the job's turn came.
        """
        job = _Job(work)
        self._enter(job)
        try:
            result: Result = await asyncio.wrap_future(job.result)
            return result
        finally:
            self._withdraw(job)

    @property
    def at_work(self) -> bool:
        """Whether the thread is there, be it only to wait for the next job."""
        return self._thread.is_alive()

    def close(self, *, patience_s: float) -> None:
        """Turn away all who wait, and wait for the job under way, but no longer than this."""
        with self._changed:
            self._closed = True
            waiting, self._jobs = list(self._jobs), deque()
            self._changed.notify()
        for job in waiting:
            if job.result.set_running_or_notify_cancel():
                job.result.set_exception(StoppingError("The server is stopping; ask again when it is back."))
        self._thread.join(patience_s)

    def _enter(self, job: _Job) -> None:
        with self._changed:
            if self._closed:
                raise StoppingError("The server is stopping; ask again when it is back.")
            if self._busy + len(self._jobs) > self._max_waiting:
                raise BusyError(
                    f"{len(self._jobs)} questions are waiting already; try again in a few seconds."
                )
            self._jobs.append(job)
            self._changed.notify()

    def _withdraw(self, job: _Job) -> None:
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
