"""A turn at work that only one may do at a time, and how whoever has it lets others go on while it waits."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

Aside = Callable[[], AbstractContextManager[None]]
"""Opened where the wait begins, closed where it ends; closing it waits for whoever is under way."""

_ASIDE: ContextVar[Aside] = ContextVar("aside", default=nullcontext)


@contextmanager
def aside() -> Iterator[None]:
    """While this is open, whoever has the turn waits for something elsewhere, and others may work.

    Nothing happens where nobody else waits for a turn, as on the command line.
    """
    with _ASIDE.get()():
        yield


def let_aside(how: Aside) -> None:
    """From here on, in this context, ``aside`` is done so."""
    _ASIDE.set(how)
