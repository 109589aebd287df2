from itertools import permutations
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from evaluation.metrics.selective import (
    Detection,
    accuracy_at,
    aurc,
    aurc_of_random,
    auroc,
    coverage_at,
    precision_recall_f1,
    relative_aurc,
    risk_coverage,
)

answered = st.lists(st.tuples(st.sampled_from([0.0, 0.25, 0.3, 0.8, 1.0]), st.booleans()), max_size=30)
CONFIDENCES, RIGHT = [0.9, 0.8, 0.7, 0.6], [True, False, True, False]
METRICS = [
    risk_coverage,
    aurc,
    relative_aurc,
    auroc,
    lambda confidences, right: accuracy_at(confidences, right, coverage=0.4),
    lambda confidences, right: coverage_at(confidences, right, accuracy=0.6),
]


def columns(pairs):
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def test_the_curve_tells_the_risk_at_every_coverage():
    assert risk_coverage(CONFIDENCES, RIGHT) == [
        (0.25, 0),
        (0.5, 1 / 2),
        (0.75, pytest.approx(1 / 3)),
        (1, 1 / 2),
    ]
    assert risk_coverage([], []) == []


def test_the_curve_of_ties_is_the_mean_over_their_orders():
    assert risk_coverage([0.6, 0.6], [True, False]) == [(0.5, 0.5), (1, 0.5)]
    # one sure and right, three alike of which one is right: 1 + 1/3, 1 + 2/3, 1 + 3/3 are right
    risks = [risk for _, risk in risk_coverage([0.5, 0.9, 0.5, 0.5], [False, True, True, False])]
    assert risks == pytest.approx([0, 1 - (4 / 3) / 2, 1 - (5 / 3) / 3, 1 - 2 / 4])


def test_aurc_is_the_mean_risk_over_every_coverage():
    # risks of the best one, two and three: 0/1, 1/2, 1/3
    assert aurc([0.9, 0.8, 0.7], [True, False, True]) == pytest.approx((0 + 1 / 2 + 1 / 3) / 3)
    assert aurc([0.7, 0.9, 0.8], [False, True, True]) == pytest.approx((0 + 0 + 1 / 3) / 3)
    assert aurc([0.2, 0.1], [False, False]) == 1
    assert aurc([0.2, 0.1], [True, True]) == 0
    assert aurc([], []) is None


def test_an_answer_counts_in_the_area_as_much_as_it_weighs():
    # risks of the best one, two and three: 0/1, 3/4, 3/6
    area = (1 * 0 + 3 * 3 / 4 + 2 * 3 / 6) / 6
    confidences, right, weights = [0.9, 0.8, 0.7], [True, False, True], [1, 3, 2]
    assert aurc(confidences, right, weights=weights) == pytest.approx(area)
    assert aurc(confidences, right, weights=[weight / 2 for weight in weights]) == pytest.approx(area)
    assert aurc([0.5] * 3, [True, False, False], weights=[2, 1, 1]) == pytest.approx(1 / 2)
    assert aurc(confidences, right, weights=[7] * 3) == pytest.approx(aurc(confidences, right))
    assert aurc([], [], weights=[]) is None


@pytest.mark.parametrize(
    "right", [[True], [False, True], [True, False, False], [True, False, True, False, False]]
)
def test_aurc_of_random_is_the_mean_over_every_order_and_that_of_ties(right):
    confidences = [-float(n) for n in range(len(right))]
    every_order = mean(aurc(confidences, order) for order in permutations(right))
    assert aurc_of_random(right) == pytest.approx(every_order)
    assert aurc([0.5] * len(right), right) == pytest.approx(every_order)


def test_relative_aurc_is_one_where_confidence_tells_nothing():
    # half are wrong; (0 + 1/2 + 1/3 + 1/2) / 4 = 1/3
    assert relative_aurc(CONFIDENCES, RIGHT) == pytest.approx((1 / 3) / (1 / 2))
    assert relative_aurc([0.5] * 4, RIGHT) == pytest.approx(1)
    assert relative_aurc([0.5] * 4, [False] * 4) == 1
    assert relative_aurc(CONFIDENCES, [True] * 4) is None
    assert relative_aurc([], []) is None
    assert aurc_of_random([]) is None


def test_accuracy_is_told_of_as_many_answers_as_cover_the_share():
    assert accuracy_at(CONFIDENCES, RIGHT, coverage=0.25) == 1
    assert accuracy_at(CONFIDENCES, RIGHT, coverage=0.26) == 1 / 2  # two of four
    assert accuracy_at(CONFIDENCES, RIGHT, coverage=0.75) == pytest.approx(2 / 3)
    assert accuracy_at(CONFIDENCES, RIGHT, coverage=1) == 1 / 2
    assert accuracy_at(CONFIDENCES, RIGHT, coverage=0) is None
    assert accuracy_at([], [], coverage=0.5) is None
    # the best, and one of three alike of which one is right
    assert accuracy_at([0.5, 0.9, 0.5, 0.5], [False, True, True, False], coverage=0.5) == pytest.approx(
        (1 + 1 / 3) / 2
    )


def test_accuracy_at_a_coverage_is_not_misled_by_its_binary_fraction():
    # 0.07 * 100 is a little more than 7 in binary
    right = [True] * 7 + [False] * 93
    assert accuracy_at([-n for n in range(100)], right, coverage=0.07) == 1


def test_coverage_is_the_largest_that_keeps_the_accuracy():
    # accuracies of the best one to four: 1, 1/2, 2/3, 1/2
    assert coverage_at(CONFIDENCES, RIGHT, accuracy=1) == 0.25
    assert coverage_at(CONFIDENCES, RIGHT, accuracy=0.6) == 0.75
    assert coverage_at(CONFIDENCES, RIGHT, accuracy=0.5) == 1
    assert coverage_at(CONFIDENCES, [False, True, True, True], accuracy=0.8) == 0
    assert coverage_at(CONFIDENCES, [True] * 4, accuracy=1) == 1
    assert coverage_at(CONFIDENCES, [False] * 4, accuracy=0.1) == 0
    assert coverage_at([], [], accuracy=0.5) is None


def test_no_threshold_parts_equal_confidences():
    # alone, the two most confident are 1/1 and (1 + 1/3)/2 right, but a threshold gives one or all four
    confidences, right = [0.9, 0.5, 0.5, 0.5], [True, True, False, False]
    assert coverage_at(confidences, right, accuracy=0.6) == 0.25
    assert coverage_at([0.5] * 4, [True, True, True, False], accuracy=0.8) == 0
    assert coverage_at([0.5] * 4, [True, True, True, False], accuracy=0.75) == 1


@given(st.integers(1, 60), st.data())
def test_an_accuracy_that_is_met_exactly_is_met(count, data):
    hits = data.draw(st.integers(0, count))
    right = [True] * hits + [False] * (count - hits)
    assert coverage_at([0.5] * count, right, accuracy=hits / count) == 1


@given(answered.filter(len), st.sampled_from([0.1, 0.5, 0.75, 1.0]))
def test_coverage_is_that_of_the_lowest_threshold_that_keeps_the_accuracy(pairs, accuracy):
    confidences, right = columns(pairs)
    coverages = [0.0]
    for threshold in set(confidences):
        given_flags = [flag for confidence, flag in pairs if confidence >= threshold]
        if mean(given_flags) >= accuracy:
            coverages.append(len(given_flags) / len(pairs))
    assert coverage_at(confidences, right, accuracy=accuracy) == max(coverages)


def test_auroc_counts_the_pairs_in_the_right_order():
    # pairs of a positive and a negative: 0.9 > 0.8, 0.9 > 0.6, 0.7 < 0.8, 0.7 > 0.6
    assert auroc(CONFIDENCES, RIGHT) == 3 / 4
    assert auroc([0.6, 0.6, 0.2], [True, False, False]) == (1 / 2 + 1) / 2
    assert auroc([0.5] * 4, RIGHT) == 1 / 2
    assert auroc([0.1, 0.9], [True, False]) == 0
    assert auroc([0.1, 0.9], [True, True]) is None
    assert auroc([0.1, 0.9], [False, False]) is None
    assert auroc([], []) is None


@given(answered.filter(lambda pairs: len({flag for _, flag in pairs}) == 2))
def test_auroc_is_scikit_learns(pairs):
    confidences, positive = columns(pairs)
    assert auroc(confidences, positive) == pytest.approx(roc_auc_score(positive, confidences))


def test_precision_and_recall_of_abstaining():
    abstained = [True, True, True, False, False]
    unanswerable = [True, False, False, True, False]
    # one of three abstentions was due, one of two that were due was made: 2 * 1 / (3 + 2)
    assert precision_recall_f1(abstained, unanswerable) == Detection(1 / 3, 1 / 2, 2 / 5)
    assert precision_recall_f1([True], [True]) == Detection(1, 1, 1)


def test_what_cannot_be_counted_is_none():
    assert precision_recall_f1([], []) == Detection(None, None, None)
    assert precision_recall_f1([False], [False]) == Detection(None, None, None)
    assert precision_recall_f1([True], [False]) == Detection(0, None, 0)
    assert precision_recall_f1([False], [True]) == Detection(None, 0, 0)
    with pytest.raises(ValueError, match="zip"):
        precision_recall_f1([True], [True, False])


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_precision_and_recall_are_scikit_learns(pairs):
    predicted, actual = columns(pairs)
    if any(predicted) and any(actual):
        ours = precision_recall_f1(predicted, actual)
        theirs = precision_recall_fscore_support(actual, predicted, average="binary", pos_label=True)
        assert (ours.precision, ours.recall, ours.f1) == pytest.approx(theirs[:3])


@pytest.mark.parametrize("metric", METRICS)
@given(pairs=answered, random=st.randoms(use_true_random=False))
def test_the_order_of_the_answers_does_not_matter(metric, pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    assert metric(*columns(pairs)) == metric(*columns(shuffled))
