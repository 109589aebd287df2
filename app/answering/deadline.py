"""Deadlines: values of ``time.monotonic()``, None for none."""

import time


def is_past(deadline: float | None) -> bool:
    """Whether it has come: at the deadline itself the time is up."""
    return deadline is not None and time.monotonic() >= deadline
