import pytest

from app.answering.normalise import normalise_answer
from evaluation.metrics import aurc, ece, exact_match, f1, has_answer


@pytest.mark.parametrize(
    ("answer", "normalised"),
    [
        ("The  Eiffel-Tower!", "eiffeltower"),
        ("A theatre, an art", "theatre art"),
        ("11.86\u00a0years", "1186 years"),
        ("the", ""),
    ],
)
def test_normalising_is_squads(answer, normalised):
    assert normalise_answer(answer) == normalised


def test_exact_match_is_up_to_normalisation():
    assert exact_match("the Lion.", ["tiger", "Lion"])
    assert not exact_match("a lion cub", ["lion"])
    assert not exact_match("lion", [])


def test_f1_is_the_best_word_overlap():
    # 2 shared words of 3 and of 4: 2 * 2 / 7
    assert f1("big grey cat", ["big grey old dog", "mouse"]) == pytest.approx(4 / 7)
    assert f1("cat", ["dog"]) == 0
    assert f1("the", ["a"]) == 1  # both empty once normalised
    assert f1("cat cat", ["cat"]) == pytest.approx(2 / 3)


def test_an_answer_stands_in_a_text_only_as_whole_words():
    assert has_answer("It was published in 1818.", ["1818"])
    assert not has_answer("It was published in 1818.", ["18"])
    assert has_answer("By L.\u00a0L. Zamenhof, in 1887.", ["L. L. Zamenhof"])
    assert has_answer("An eight-time champion", ["Eight"])
    assert has_answer("in the Tower of London", ["tower of the London"])
    assert not has_answer("anything", ["the"])


def test_ece_is_the_mean_gap_between_confidence_and_share_right():
    # one answer to a bin: |0.9 - 1|, |0.8 - 0|
    assert ece([0.9, 0.8], [True, False]) == pytest.approx((0.1 + 0.8) / 2)
    # two to a bin: half of each right, mean confidences 0.515, 0.535 ... 0.695
    confidences = [0.51 + 0.01 * n for n in range(20)]
    assert ece(confidences, [n % 2 == 0 for n in range(20)]) == pytest.approx(0.105)
    # 12 in two bins of 6: 0.9 with 5 right, 0.1 with 2 right
    right = [True] * 5 + [False] + [True] * 2 + [False] * 4
    assert ece([0.9] * 6 + [0.1] * 6, right, bins=2) == pytest.approx((0.9 - 5 / 6 + 2 / 6 - 0.1) / 2)
    assert ece([1.0, 0.0], [True, False]) == 0
    assert ece([], []) is None


def test_aurc_is_the_mean_risk_over_every_coverage():
    # risks of the best one, two and three: 0/1, 1/2, 1/3
    assert aurc([0.9, 0.8, 0.7], [True, False, True]) == pytest.approx((0 + 1 / 2 + 1 / 3) / 3)
    assert aurc([0.7, 0.9, 0.8], [False, True, True]) == pytest.approx((0 + 0 + 1 / 3) / 3)
    assert aurc([0.2, 0.1], [False, False]) == 1
    assert aurc([], []) is None


def test_the_order_of_equal_confidences_does_not_matter():
    for right in ([True, False], [False, True]):
        assert aurc([0.6, 0.6], right) == pytest.approx(0.5)
        assert ece([0.6, 0.6], right) == pytest.approx(0.1)
