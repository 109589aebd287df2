"""A short load on a running server: what must hold whatever the machine."""

import pytest

from benchmarks.load import Measured, load, table
from tests.server_process import build, running

pytestmark = pytest.mark.enable_socket


def test_under_load_every_question_is_answered_or_refused_and_every_stream_ends(tmp_path):
    build(tmp_path / "index")
    with running(tmp_path / "index", max_waiting=2) as server:
        questions = ["who built a tower", "take 0.1 s"]
        measured = load(server.url, server.process.pid, questions, clients=12, seconds=3)
        assert "Traceback" not in server.log
    assert set(measured.statuses) == {200, 503}
    assert measured.unintended == measured.streams_cut == 0
    assert measured.statuses[200] == len(measured.answers_s)
    assert measured.health_s


def test_the_table_tells_intended_refusals_from_errors():
    measured = Measured(answers_s=[1.0, 2.0], health_s=[0.01], memory_mib=(10.0, 11.0))
    measured.statuses.update({200: 2, 503: 3, 504: 4, 500: 5})
    measured.streams_cut = 1
    assert table(measured, clients=2, seconds=4).splitlines()[2:] == [
        "| clients, seconds | 2, 4 |",
        "| offered | 14 |",
        "| answered | 2 (0.5/s) |",
        "| refused with 503 | 3 |",
        "| timed out with 504 | 4 |",
        "| other errors | 5 |",
        "| streams cut | 1 |",
        "| answer p50 / p95 / p99 | 1.5 s / 1.95 s / 1.99 s |",
        "| /health/live p50 / p95 / p99 | 10 ms / 10 ms / 10 ms |",
        "| memory before, after | 10 MiB, 11 MiB |",
    ]
