"""Deadlines: when work has to end, by the clock or because nobody waits for it any more."""

import math
import threading
import time
from collections.abc import Callable

from common.errors import DeadlineExceededError, GivenUpError

Check = Callable[[], None]
"""Asked again and again while work is under way; raises where it has to end."""


def go_on() -> None:
    """The check of work that nothing ends."""


class Deadline:
    """The moment by which work has to end, or an earlier one: the moment it is given up.

    Whoever does the work asks ``over`` where it can hand over what it has, and calls ``check`` where it cannot.
    Any thread may give it up.
    """

    def __init__(self, when: float | None = None) -> None:
        """``when``: a ``time.monotonic()`` value. None: the clock never ends the work."""
        self._when = math.inf if when is None else when
        self._given_up = threading.Event()

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """One that comes so many seconds from now."""
        return cls(time.monotonic() + seconds)

    @property
    def remaining_s(self) -> float:
        """Seconds that are left, never below 0; infinite where no clock ends the work."""
        return 0.0 if self.given_up else max(self._when - time.monotonic(), 0.0)

    @property
    def over(self) -> bool:
        """Whether the work has to end now: at the deadline itself the time is up."""
        return self.given_up or time.monotonic() >= self._when

    @property
    def given_up(self) -> bool:
        """Whether nobody waits for the outcome any more."""
        return self._given_up.is_set()

    def check(self, stage: str) -> None:
        """Go on, or not.

        Raises:
            GivenUpError: when the work was given up.
            DeadlineExceededError: when the time is up; ``stage`` says where.
        """
        if self.given_up:
            raise GivenUpError(f"Nobody waited any more during the stage {stage!r}.")
        if self.over:
            raise DeadlineExceededError(
                f"The time allowed ran out during the stage {stage!r}; allow more time or ask for less."
            )

    def give_up(self) -> None:
        """From now on it is over, whatever the clock says."""
        self._given_up.set()


class _NoDeadline(Deadline):
    """Shared by all who set no end, so that nobody may end it for the others."""

    def give_up(self) -> None:
        raise TypeError("NO_DEADLINE is everybody's; make a Deadline() to give up work by.")


NO_DEADLINE = _NoDeadline()
"""For work that nothing ends."""
