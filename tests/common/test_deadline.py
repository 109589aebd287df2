"""Deadlines: over by the clock, or given up by another thread."""

import math
import threading
import time

import pytest

from common.deadline import NO_DEADLINE, Deadline
from common.errors import DeadlineExceededError, GivenUpError


def test_at_the_deadline_itself_the_time_is_up(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 10.0)
    assert Deadline(10.0).over
    assert not Deadline(10.1).over
    assert Deadline(10.5).remaining_s == 0.5
    assert Deadline(9.0).remaining_s == 0.0
    assert Deadline.after(2.0).remaining_s == 2.0


def test_time_that_ran_out_is_told_with_its_stage():
    Deadline.after(60).check("read")
    with pytest.raises(DeadlineExceededError, match=r"ran out during the stage 'read'; allow more time"):
        Deadline(time.monotonic()).check("read")


def test_without_a_moment_the_clock_never_ends_it():
    assert not Deadline().over
    assert Deadline().remaining_s == math.inf


def test_another_thread_gives_it_up_before_its_time():
    deadline = Deadline.after(60)
    thread = threading.Thread(target=deadline.give_up)
    thread.start()
    thread.join()
    assert deadline.over
    assert deadline.given_up
    assert deadline.remaining_s == 0.0
    with pytest.raises(GivenUpError, match="during the stage 'index'"):
        deadline.check("index")


def test_given_up_counts_before_the_clock():
    deadline = Deadline(time.monotonic())
    deadline.give_up()
    with pytest.raises(GivenUpError):
        deadline.check("read")


def test_nobody_ends_the_one_that_all_share():
    NO_DEADLINE.check("any")
    with pytest.raises(TypeError, match="is everybody's"):
        NO_DEADLINE.give_up()
    assert not NO_DEADLINE.over
