"""That work grows in proportion to the size of its input, asserted by comparison: no machine is too slow for that."""

import gc
import time
from collections.abc import Callable

FACTOR = 8
"""By how much the larger input is larger. In proportion it takes 8 times as long, with the square 64 times."""
MOST = 3 * FACTOR
"""Times as long that are let pass: sorting, caches and others that use the machine have room in it."""
TRIES = 3
NOISE_S = 0.002
"""A shorter run counts as one of this length: it is too short to be told from noise."""


def assert_linear(work: Callable[[int], object], size: int) -> None:
    """Fails where ``work(size)`` takes far longer than an eighth of the size does, by the process's processor time.

    Others disturb a measurement, so the smallest time of each size in three tries counts. ``size`` is such that a
    fault shows: with it the work takes a multiple of what it should, and more than some tenths of a second.
    """
    work(size // FACTOR)  # what is made only once, such as a compiled pattern, is made now
    small = large = float("inf")
    for _ in range(TRIES):
        small = min(small, _took(work, size // FACTOR))
        large = min(large, _took(work, size))
        if large < MOST * max(small, NOISE_S):
            return
    times = large / max(small, NOISE_S)
    raise AssertionError(
        f"{FACTOR} times the size took {times:.0f} times as long: {large:.3f} s, not {small:.3f} s."
    )


def _took(work: Callable[[int], object], size: int) -> float:
    """Seconds of processor time, in which no garbage is collected: it would be that of all tests before."""
    gc.disable()
    try:
        started = time.process_time()
        work(size)
        return time.process_time() - started
    finally:
        gc.enable()
