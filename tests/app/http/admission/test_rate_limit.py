"""A bucket of tokens: so many at once, so many a minute."""

import pytest

from app.http.admission.rate_limit import TokenBucket


def test_so_many_may_happen_at_once_and_then_one_whenever_a_token_has_come_in():
    now = [100.0]
    bucket = TokenBucket(6, clock=lambda: now[0])
    assert [bucket.take() for _ in range(6)] == [0.0] * 6
    assert bucket.take() == 10.0
    now[0] += 4
    assert bucket.take() == pytest.approx(6)
    now[0] += 6
    assert bucket.take() == 0.0
    assert bucket.take() == 10.0


def test_a_long_rest_fills_it_and_no_more():
    now = [0.0]
    bucket = TokenBucket(2, clock=lambda: now[0])
    now[0] = 1e6
    assert [bucket.take() > 0 for _ in range(3)] == [False, False, True]
