from dataclasses import replace

import pytest

from common.errors import LoccitError
from evaluation.questions import Question, Side, side_of
from evaluation.slices import WITHOUT_GOLD, chosen

QUESTIONS = [
    Question(f"q{number}", f"question number {number}", ("yes",), gold_document_id=f"d{number}")
    for number in range(100)
]


def choose(side=None, sample=None, without_gold=False, questions=QUESTIONS):
    return chosen(questions, side=side, sample=sample, without_gold=without_gold)


def test_all_questions_are_chosen_unless_told_otherwise():
    assert choose() == QUESTIONS


@pytest.mark.parametrize("side", Side)
def test_a_side_holds_its_questions_in_their_order(side):
    assert choose(side=side.value) == [one for one in QUESTIONS if side_of(one.question) is side]


def test_a_sample_is_the_same_whatever_else_is_asked_and_grows_by_what_it_lacks():
    ten, twenty = choose(sample=10), choose(sample=20)
    assert len(ten) == 10
    assert len(twenty) == 20
    assert set(ten) < set(twenty)
    assert [one.id for one in ten] == [one.id for one in QUESTIONS if one in ten]
    assert choose(sample=10, questions=QUESTIONS[::-1]) == ten[::-1]
    assert ten != QUESTIONS[:10]
    assert choose(sample=1000) == QUESTIONS


def test_the_sample_is_pinned():
    assert [one.id for one in choose(sample=3)] == ["q37", "q53", "q61"]


def test_without_gold_every_question_is_asked_again_as_one_of_that_kind():
    first, again, *_ = choose(without_gold=True)
    assert (first.id, first.kind) == ("q0", "answerable")
    assert (again.id, again.kind, again.answers) == ("q0/without-gold", WITHOUT_GOLD, ("yes",))
    assert len(choose(without_gold=True)) == 200


def test_without_gold_a_question_has_to_name_its_document():
    with pytest.raises(
        LoccitError, match=r"^The question q names no gold_document_id, so it cannot be asked"
    ):
        choose(without_gold=True, questions=[Question("q", "who", ("she",))])


def test_an_unknown_side_is_a_sentence():
    with pytest.raises(LoccitError, match=r"^There is no side 'left'; give calibrate or test.$"):
        choose(side="left")


def test_a_side_without_a_question_is_a_sentence():
    (other,) = set(Side) - {side_of(QUESTIONS[0].question)}
    with pytest.raises(LoccitError, match=rf"^No question is on the side {other}; leave out --side, or give"):
        choose(side=other.value, questions=QUESTIONS[:1])


def test_a_sample_is_of_the_side_and_only_it_is_asked_again_without_gold():
    asked = choose(side="test", sample=5, without_gold=True)
    assert len(asked) == 10
    assert {side_of(one.question) for one in asked} == {Side.TEST}


def test_a_sample_does_not_depend_on_how_a_question_is_written_down():
    shouted = [replace(one, question=f"  {one.question.upper()} ") for one in QUESTIONS]
    assert [one.id for one in choose(sample=10, questions=shouted)] == [one.id for one in choose(sample=10)]
