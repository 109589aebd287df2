"""Connections fit the process's limit on open files."""

import resource

import pytest

from app.http.running.open_files import connections_within
from common.errors import InvalidRequestError


@pytest.fixture
def limited(monkeypatch):
    """Sets the process's limits for this test; returns those that are set in turn."""

    def to(soft: int, hard: int) -> list[tuple[int, int]]:
        changed = []
        monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
        monkeypatch.setattr(resource, "setrlimit", lambda _, limits: changed.append(limits))
        return changed

    return to


def test_where_there_is_room_nothing_changes(limited):
    changed = limited(1000, 4000)
    assert connections_within(512, backlog=128) == 512
    assert changed == []


def test_the_process_raises_its_own_limit(limited):
    changed = limited(256, 4000)
    assert connections_within(512, backlog=128) == 512
    assert changed == [(512 + 2 * 128 + 128, 4000)]


def test_where_it_may_not_fewer_connections_are_taken_and_that_is_said(limited, caplog):
    changed = limited(256, 500)
    assert connections_within(512, backlog=128) == 500 - 2 * 128 - 128
    assert changed == [(500, 500)]
    assert caplog.messages == [
        "The process may open 500 files at most, so 116 connections are taken in place of 512; allow 896 (ulimit -n)."
    ]


def test_without_limits_as_many_are_taken_as_wanted(limited):
    limited(resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    assert connections_within(512, backlog=128) == 512


def test_too_few_to_serve_is_a_sentence(limited):
    limited(100, 300)
    with pytest.raises(
        InvalidRequestError, match=r"may open 300 files at most, which is too few to serve; allow 896"
    ):
        connections_within(512, backlog=128)
