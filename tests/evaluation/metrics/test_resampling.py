import tracemalloc
from itertools import product
from statistics import mean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluation.metrics.resampling import (
    Difference,
    bootstrap,
    bootstrap_interval,
    paired_difference,
    percentile_interval,
)
from evaluation.metrics.selective import aurc
from tests.growth import assert_linear

RNG = np.random.default_rng(7)
CONFIDENCES = RNG.random(150)
RIGHT = RNG.random(150) < CONFIDENCES
LATER_RIGHT = RNG.random(150) < CONFIDENCES**0.5


def test_a_percentile_interval_leaves_as_much_below_as_above():
    # of 0, 1 ... 100, a tenth lies below 10 and a tenth above 90
    assert percentile_interval(range(101), mass=0.8) == pytest.approx((10, 90))
    assert percentile_interval([3.0], mass=0.95) == (3, 3)
    assert percentile_interval([None, 2.0, None, 2.0], mass=0.95) == (2, 2)
    assert percentile_interval([None], mass=0.95) is None
    assert percentile_interval([], mass=0.95) is None


def test_every_sample_draws_n_of_the_n_rows_with_replacement():
    drawn = []
    bootstrap(lambda rows: drawn.append(rows.tolist()), n=3, samples=2000)
    assert len(drawn) == 2000
    # all 27 draws of three occur, each about 2000 / 27 = 74 times
    counts = [drawn.count(list(rows)) for rows in product(range(3), repeat=3)]
    assert sum(counts) == 2000
    assert min(counts) > 40


def test_the_interval_of_a_statistic_is_its_quantiles_over_the_samples():
    figures = []
    low, high = bootstrap(
        lambda rows: figures.append(float(rows.max())) or figures[-1], n=50, samples=400, mass=0.5
    )
    assert (low, high) == (np.quantile(figures, 0.25), np.quantile(figures, 0.75))


def test_samples_without_a_figure_are_left_out():
    assert bootstrap(lambda rows: 1.0 if 0 in rows else None, n=2, samples=50) == (1, 1)
    assert bootstrap(lambda rows: None, n=2, samples=50) is None
    assert bootstrap(lambda rows: 1.0, n=0) is None


def test_the_interval_of_a_mean():
    # four samples of two values are equally likely: means 0, 0.5, 0.5 and 1
    assert bootstrap_interval([0.0, 1.0], mass=0.95) == (0, 1)
    assert bootstrap_interval([0.0, 1.0], mass=0.4) == (0.5, 0.5)
    assert bootstrap_interval([True, True]) == (1, 1)
    assert bootstrap_interval([]) is None


def test_the_interval_of_a_mean_is_scipys():
    ours = bootstrap_interval(RIGHT, seed=1)
    theirs = stats.bootstrap((RIGHT,), np.mean, n_resamples=10_000, method="percentile", rng=1)
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.01)
    # and about the normal one
    error = 1.96 * RIGHT.std() / np.sqrt(150)
    assert ours == pytest.approx((RIGHT.mean() - error, RIGHT.mean() + error), abs=0.01)


def test_the_interval_of_an_aurc_is_scipys():
    ours = bootstrap(lambda rows: aurc(CONFIDENCES[rows], RIGHT[rows]), n=150, samples=2000)
    theirs = stats.bootstrap(
        (CONFIDENCES, RIGHT),
        aurc,
        paired=True,
        vectorized=False,
        n_resamples=2000,
        method="percentile",
        rng=1,
    )
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.015)


def test_a_difference_is_second_minus_first():
    # +1, +1, 0: resampled, the mean of three lies between 0 and 1
    first, second = [False, False, True], [True, True, True]
    assert paired_difference(first, second) == Difference(pytest.approx(2 / 3), 0, 1)
    assert paired_difference(second, first) == Difference(pytest.approx(-2 / 3), -1, 0)
    assert paired_difference([], []) is None
    with pytest.raises(ValueError, match="zip"):
        paired_difference([1.0], [1.0, 2.0])


def test_the_same_questions_are_drawn_for_both():
    # each question gains exactly 0.1, whichever is drawn, though the questions differ widely
    first = [0.0, 0.5, 0.9, 0.1]
    difference = paired_difference(first, [value + 0.1 for value in first])
    assert difference == Difference(*[pytest.approx(0.1)] * 3)


@pytest.mark.parametrize(("first", "second"), [(RIGHT, LATER_RIGHT), (LATER_RIGHT.tolist(), RIGHT.tolist())])
def test_a_paired_difference_is_scipys(first, second):
    ours = paired_difference(first, second)
    theirs = stats.bootstrap(
        (second, first),
        lambda after, before, axis: np.mean(after, axis=axis) - np.mean(before, axis=axis),
        paired=True,
        vectorized=True,
        n_resamples=10_000,
        method="percentile",
        rng=1,
    )
    assert ours.mean == pytest.approx(mean(map(float, second)) - mean(map(float, first)))
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs.confidence_interval), abs=0.015)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(0, 5))
def test_the_interval_stays_within_the_values_and_holds_more_with_more_mass(values, seed):
    narrow = bootstrap_interval(values, samples=40, seed=seed, mass=0.5)
    wide = bootstrap_interval(values, samples=40, seed=seed, mass=0.9)
    ends = [min(values), wide[0], narrow[0], narrow[1], wide[1], max(values)]
    assert ends == pytest.approx(sorted(ends))


@settings(max_examples=30)
@given(st.lists(st.booleans(), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_the_questions_moves_an_interval_only_by_chance(right, random):
    shuffled = random.sample(right, len(right))
    first, second = (bootstrap_interval(some, samples=1500) for some in (right, shuffled))
    assert first == pytest.approx(second, abs=1.5 / len(right) + 1e-9)


def test_the_same_seed_gives_the_same_interval():
    assert bootstrap_interval(CONFIDENCES, samples=50, seed=1) == bootstrap_interval(
        CONFIDENCES, samples=50, seed=1
    )
    assert bootstrap_interval(CONFIDENCES, samples=50, seed=1) != bootstrap_interval(
        CONFIDENCES, samples=50, seed=2
    )


def test_an_interval_takes_time_in_proportion_to_samples_and_questions_and_little_memory():
    values = RNG.random(1041)
    assert_linear(lambda samples: bootstrap_interval(values, samples=samples), 10_000)
    assert_linear(lambda questions: bootstrap_interval(RNG.random(questions), samples=200), 100_000)
    tracemalloc.start()
    bootstrap_interval(values, samples=1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5e6
