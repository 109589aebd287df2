"""The measure of growth itself: it tells the square from the rest, and is not led astray by one that is disturbed."""

import gc
from collections.abc import Iterator

import pytest

from tests import growth
from tests.growth import FACTOR, NOISE_S, TRIES, assert_linear

SIZE = 8000


def linear(size: int) -> None:
    for _ in range(size):
        sum(range(1000))


def sorting(size: int) -> None:
    for seed in range(20):
        sorted(range(size), key=lambda number: number * (seed + 7919) % 104729)


def square(size: int) -> None:
    for _ in range(size):
        sum(range(size // 2))


def half_square(size: int) -> None:
    """The square beside what is linear, of equal cost for the smaller size: 36 times as long."""
    square(size)
    for _ in range(size):
        sum(range(SIZE // FACTOR // 2))


def clocked(monkeypatch: pytest.MonkeyPatch, *took: float) -> Iterator[float]:
    """The runs that are measured take so many seconds, one after another."""
    times = iter(took)
    now = 0.0
    running = False

    def clock() -> float:
        nonlocal now, running
        running = not running
        now += 0.0 if running else next(times)
        return now

    monkeypatch.setattr(growth.time, "process_time", clock)
    return times


@pytest.mark.parametrize("work", [linear, sorting])
def test_work_in_proportion_passes(work):
    assert_linear(work, SIZE)


@pytest.mark.parametrize("work", [square, half_square])
def test_the_square_fails(work):
    with pytest.raises(AssertionError, match=r"8 times the size took \d+ times as long"):
        assert_linear(work, SIZE)


def test_the_sizes_are_an_eighth_and_the_whole_and_the_first_run_does_not_count():
    sizes = []
    assert_linear(sizes.append, 80)
    assert sizes == [10, 10, 80]
    assert gc.isenabled()


def test_no_garbage_is_collected_while_it_is_measured():
    collecting = []
    assert_linear(lambda size: collecting.append(gc.isenabled()), SIZE)
    assert collecting[1:] == [False, False]


def test_a_disturbed_measurement_is_made_again(monkeypatch):
    left = clocked(monkeypatch, 0.1, 9.0, 0.1, 0.9, 7.0)
    assert_linear(abs, SIZE)
    assert list(left) == [7.0]


def test_the_smallest_time_of_each_size_counts(monkeypatch):
    clocked(monkeypatch, 0.5, 20.0, 0.1, 20.0, 0.3, 2.3)
    assert_linear(abs, SIZE)


def test_it_fails_after_three_tries(monkeypatch):
    left = clocked(monkeypatch, *[0.1, 6.4] * TRIES, 7.0)
    with pytest.raises(AssertionError, match=r"took 64 times as long: 6\.400 s, not 0\.100 s\."):
        assert_linear(abs, SIZE)
    assert list(left) == [7.0]


def test_what_is_too_short_to_be_measured_is_no_failure(monkeypatch):
    clocked(monkeypatch, NOISE_S / 100, NOISE_S * 20)
    assert_linear(abs, SIZE)
