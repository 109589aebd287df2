from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from evaluation.metrics.confidence import Bin, brier, ece, ece_band, reliability

answered = st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.3, 0.8, 1.0]), st.booleans()), max_size=30)


def test_bins_hold_equally_many_answers_most_confident_first():
    right = [True, True, False, True, False]
    # five in two bins: cut after 5 * 1 // 2 = 2
    first, second = reliability([0.9, 0.7, 0.6, 0.2, 0.1], right, bins=2)
    assert (first.count, second.count) == (2, 3)
    assert (first.confidence, first.accuracy) == (pytest.approx(0.8), 1)
    assert (second.confidence, second.accuracy) == (pytest.approx(0.3), pytest.approx(1 / 3))


def test_fewer_answers_than_bins_leave_no_bin_empty():
    assert reliability([0.2, 0.9], [False, True]) == [Bin(1, 0.9, 1), Bin(1, 0.2, 0)]
    assert reliability([], []) == []


def test_equal_confidences_are_spread_over_the_bins_they_reach():
    # three of four tie, of which one is right: each counts as a third right, whichever bin it falls in
    first, second = reliability([0.5, 0.9, 0.5, 0.5], [False, True, True, False], bins=2)
    assert first == Bin(2, pytest.approx(0.7), pytest.approx((1 + 1 / 3) / 2))
    assert second == Bin(2, 0.5, pytest.approx(1 / 3))


@given(st.integers(1, 6), st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_bins_are_scikit_learns_quantiles(bins, size, random):
    confidences = random.sample([n / 1000 for n in range(1001)], bins * size)
    right = [random.random() < 0.5 for _ in confidences]
    accuracies, means = calibration_curve(
        right, confidences, n_bins=bins, strategy="quantile", pos_label=True
    )
    points = reliability(confidences, right, bins=bins)[::-1]
    assert [point.count for point in points] == [size] * bins
    assert [point.accuracy for point in points] == pytest.approx(accuracies)
    assert [point.confidence for point in points] == pytest.approx(means)


def test_ece_is_the_mean_gap_between_confidence_and_share_right():
    # one answer to a bin: |0.9 - 1|, |0.8 - 0|
    assert ece([0.9, 0.8], [True, False]) == pytest.approx((0.1 + 0.8) / 2)
    # two to a bin: half of each right, mean confidences 0.515, 0.535 ... 0.695
    confidences = [0.51 + 0.01 * n for n in range(20)]
    assert ece(confidences, [n % 2 == 0 for n in range(20)]) == pytest.approx(0.105)
    # 12 in two bins of 6: 0.9 with 5 right, 0.1 with 2 right
    right = [True] * 5 + [False] + [True] * 2 + [False] * 4
    assert ece([0.9] * 6 + [0.1] * 6, right, bins=2) == pytest.approx((0.9 - 5 / 6 + 2 / 6 - 0.1) / 2)
    # bins of 1 and 2 weigh as much as they hold: |0.9 - 0| once, |0.4 - 1/2| twice
    assert ece([0.9, 0.5, 0.3], [False, True, False], bins=2) == pytest.approx((0.9 + 2 * 0.1) / 3)
    assert ece([1.0, 0.0], [True, False]) == 0
    assert ece([], []) is None


@pytest.mark.parametrize(("right", "error"), [(True, 1 - 0.7), (False, 0.7)])
def test_ece_of_answers_all_alike_is_their_distance_from_the_outcome(right, error):
    assert ece([0.7] * 25, [right] * 25) == pytest.approx(error)


def test_an_answer_counts_as_much_as_it_weighs():
    claims, right, weights = [0.9, 0.8, 0.7], [True, False, True], [1, 3, 2]
    # half of the mass of 6 lies within the second: |1 * (0.9 - 1)| and |3 * (0.8 - 0) + 2 * (0.7 - 1)|
    assert ece(claims, right, bins=2, weights=weights) == pytest.approx((0.1 + 1.8) / 6)
    assert ece(claims, right, bins=2, weights=[10 * weight for weight in weights]) == pytest.approx(1.9 / 6)
    # two of three alike are wrong, but weigh as much as the third: all three have half right
    assert ece([0.7] * 3, [True, False, False], weights=[2, 1, 1]) == pytest.approx(0.2)
    assert ece([], [], weights=[]) is None


@given(answered, st.integers(1, 12), st.sampled_from([0.5, 3.0]))
def test_equal_weights_change_nothing(pairs, bins, weight):
    confidences, right = ([pair[n] for pair in pairs] for n in (0, 1))
    weighted = ece(confidences, right, bins=bins, weights=[weight] * len(pairs))
    assert weighted == pytest.approx(ece(confidences, right, bins=bins))


def test_brier_is_the_mean_squared_distance():
    assert brier([0.9, 0.6], [True, False]) == pytest.approx((0.1**2 + 0.6**2) / 2)
    assert brier([1, 0], [True, False]) == 0
    assert brier([0, 1], [True, False]) == 1
    assert brier([], []) is None
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        brier([0.5], [True, False])


@given(answered.filter(len))
def test_brier_is_scikit_learns(pairs):
    confidences, right = zip(*pairs, strict=True)
    theirs = brier_score_loss(right, confidences, pos_label=True, labels=[False, True])
    assert brier(confidences, right) == pytest.approx(theirs)


@given(answered, st.randoms(use_true_random=False), st.integers(1, 12))
def test_the_order_of_the_answers_does_not_matter(pairs, random, bins):
    shuffled = random.sample(pairs, len(pairs))
    first, second = ([[pair[n] for pair in some] for n in (0, 1)] for some in (pairs, shuffled))
    assert reliability(*first, bins=bins) == reliability(*second, bins=bins)
    assert ece(*first, bins=bins) == ece(*second, bins=bins)
    assert brier(*first) == pytest.approx(brier(*second))


def plain_ece(confidences, right, bins):
    """The ECE of distinct confidences, spelt out."""
    answers = sorted(zip(confidences, right, strict=True), reverse=True)
    edges = [len(answers) * number // bins for number in range(bins + 1)]
    runs = [answers[start:end] for start, end in pairwise(edges)]
    return sum(abs(sum(claim - flag for claim, flag in run)) for run in runs) / len(answers)


def test_the_band_holds_the_eces_of_samples_that_are_as_right_as_they_claim():
    confidences = np.array([0.95, 0.1, 0.5, 0.8, 0.3, 0.6, 0.72])
    rng = np.random.default_rng(4)
    samples = [rng.random(7) < confidences for _ in range(50)]
    low, high = np.quantile([plain_ece(confidences, right, 3) for right in samples], [0.1, 0.9])
    band = ece_band(confidences, bins=3, samples=50, seed=4, mass=0.8)
    assert band == (pytest.approx(low), pytest.approx(high))


def test_the_band_of_one_answer_is_known():
    # |0.8 - 1| = 0.2 four times of five, |0.8 - 0| = 0.8 else
    assert ece_band([0.8]) == (pytest.approx(0.2), pytest.approx(0.8))
    assert ece_band([0.8], mass=0.5) == (pytest.approx(0.2), pytest.approx(0.2))


def test_sure_claims_leave_no_room_and_nothing_has_no_band():
    assert ece_band([1.0, 0.0, 1.0]) == (0, 0)
    assert ece_band([]) is None


def test_a_calibrated_predictor_mostly_falls_into_the_band_and_an_overconfident_one_does_not():
    rng = np.random.default_rng(0)
    confidences = rng.random(400)
    low, high = ece_band(confidences, samples=200)
    calibrated = [ece(confidences, rng.random(400) < confidences) for _ in range(100)]
    assert 85 <= sum(low <= error <= high for error in calibrated) <= 100
    assert ece(confidences, rng.random(400) < confidences**3) > high


def test_the_same_seed_gives_the_same_band():
    confidences = [0.9, 0.5, 0.55, 0.2, 0.7]
    assert ece_band(confidences, seed=1) == ece_band(confidences, seed=1)
    assert ece_band(confidences, samples=20, seed=1) != ece_band(confidences, samples=20, seed=2)
