import pytest

from evaluation.metrics.ties import ranked


def test_equal_confidences_share_what_is_right_among_them():
    confidences, shares, weights = ranked([0.2, 0.9, 0.2, 0.5, 0.2], [True, False, False, True, True])
    assert confidences.tolist() == [0.9, 0.5, 0.2, 0.2, 0.2]
    assert shares.tolist() == [0, 1, 2 / 3, 2 / 3, 2 / 3]
    assert weights.tolist() == [1] * 5


def test_equal_confidences_share_what_they_weigh():
    ranking = ranked([0.2, 0.9, 0.2, 0.2], [True, False, False, True], [1, 5, 2, 3])
    assert ranking.shares.tolist() == [0, 4 / 6, 4 / 6, 4 / 6]
    assert ranking.weights.tolist() == [5, 2, 2, 2]


def test_nothing_is_ranked_as_nothing():
    assert [column.tolist() for column in ranked([], [])] == [[], [], []]


@pytest.mark.parametrize("right", [[], [True], [True, False, True]])
def test_every_confidence_needs_its_outcome(right):
    with pytest.raises(ValueError, match="same length"):
        ranked([0.5, 0.4], right)


@pytest.mark.parametrize("weights", [[], [1.0], [1.0, 2.0, 3.0]])
def test_every_confidence_needs_its_weight(weights):
    with pytest.raises(ValueError, match="same length"):
        ranked([0.5, 0.4], [True, False], weights)
