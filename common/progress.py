"""How far a long job is: a bar with rate and time left on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from common.terminal_text import escaped, plain

_SECONDS_BETWEEN_LINES = 10.0


class Advance(Protocol):
    """Told of every step."""

    def __call__(self, steps: int = 1, /) -> None: ...


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return plain(f"{task.speed:,.0f}/s" if task.speed else "")


@contextmanager
def progress(console: Console, what: str, *, total: int | None) -> Iterator[Advance]:
    """Shows the job's progress while the block runs; ``total`` None when it is not known beforehand."""
    with _bar(console, what, total) if console.is_terminal else _lines(console, what, total) as advance:
        yield advance


@contextmanager
def _bar(console: Console, what: str, total: int | None) -> Iterator[Advance]:
    columns = [
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _RateColumn(),
    ]
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task(escaped(what), total=total)

        def advance(steps: int = 1, /) -> None:
            bar.advance(task, steps)

        yield advance
        if total is None:
            bar.update(task, total=bar.tasks[0].completed)


@contextmanager
def _lines(console: Console, what: str, total: int | None) -> Iterator[Advance]:
    started = last = time.monotonic()
    done = 0

    def line() -> str:
        seconds = max(time.monotonic() - started, 1e-9)
        rate = done / seconds
        if total is None:
            return f"{what}: {done:,}, {rate:,.0f}/s"
        left = f", {(total - done) / rate:,.0f} s left" if rate and done < total else ""
        return f"{what}: {done:,} of {total:,}, {rate:,.0f}/s{left}"

    def advance(steps: int = 1, /) -> None:
        nonlocal done, last
        done += steps
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            console.print(plain(line()))

    yield advance
    console.print(plain(line()))
