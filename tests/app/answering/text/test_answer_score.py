import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.text.answer_match import has_answer
from app.answering.text.answer_score import exact_match, f1
from app.answering.text.normalise import normalise_answer


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


@given(st.text("ab The.,-é", max_size=12), st.lists(st.text("ab The.,-é", max_size=12), max_size=4))
def test_the_order_of_the_answers_does_not_matter(text, answers):
    for metric in (exact_match, f1, has_answer):
        assert metric(text, answers) == metric(text, answers[::-1])


@given(st.text("ab The.,-é", max_size=12), st.lists(st.text("ab The.,-é", max_size=12), max_size=4))
def test_an_exact_match_overlaps_wholly(text, answers):
    assert 0 <= f1(text, answers) <= 1
    if exact_match(text, answers):
        assert f1(text, answers) == 1


def test_nothing_matches_no_answers():
    assert f1("lion", []) == 0
    assert not has_answer("lion", [])
    assert not has_answer("", ["lion"])


def test_invisible_characters_and_line_ends_within_words_make_no_difference():
    assert exact_match("Hen\u00adrik Lar-\nsen", ["henrik larsen"])
    assert f1("Gra\u00adﬀton", ["Graffton"]) == 1.0
