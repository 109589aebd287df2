"""Superlatives: which ones a question asks for, and which texts have them of a lower rank alone."""

import pytest

from app.answering.text.superlative import superlatives, tells_lower_ranks_alone


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("what is the largest planet", {"largest"}),
        ("Which is the MOST POPULOUS city of Peru?", {"most populous"}),
        ("what is the second largest planet", set()),
        ("what is the 2nd-largest city", set()),
        ("where does Perth rank among the largest cities", set()),
        ("what place has it among the oldest schools", set()),
        ("how tall is mount everest", set()),
        ("what is the finest forest of the Midwest", {"finest"}),
        ("when did the greatest battle take place", {"greatest"}),
        ("who wrote hamlet", set()),
        ("what is the best-selling album", {"best"}),
        ("what is the next largest city", set()),
        ("what is the 1st largest city", {"largest"}),
        ("where did most of the unrest begin", set()),
    ],
)
def test_a_question_asks_for_its_superlatives_unless_it_names_a_rank(question, asked):
    assert superlatives(question) == asked


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        ("It is the fourth-largest planet by diameter.", True),
        ("It is the 12th\u00a0largest of them.", True),
        ("It is the second\u2011biggest.", True),
        ("It is the 1st largest.", False),
        ("It is the 21st largest.", True),
        ("The next-largest is Saturn.", True),
        ("The second largest is Saturn, the largest Jupiter.", False),
        ("It is the largest.", False),
        ("It is a large planet.", False),
        ("The second\nlargest, and the third  largest.", True),
        ("The second\u2013largest.", True),
        ("The most populous city of the state, in the third-largest area.", False),
    ],
)
def test_a_text_tells_lower_ranks_alone(text, alone):
    assert tells_lower_ranks_alone(frozenset({"largest"}), text) is alone


@pytest.mark.parametrize(
    ("asked", "text", "alone"),
    [
        ({"smallest"}, "It is the fourth-largest planet.", False),
        ({"most massive"}, "It is the third-most-massive planet.", True),
        ({"most massive"}, "It is the third most massive planet.", True),
        ({"tallest"}, "It is the second highest.", True),
        ({"best"}, "It is the third-best-selling album.", True),
        ({"best"}, "It is the best-selling album.", False),
        ({"tallest", "oldest"}, "It is the second highest.", True),
        (set(), "It is the second highest.", False),
    ],
)
def test_words_that_mean_about_the_same_count_and_others_do_not(asked, text, alone):
    assert tells_lower_ranks_alone(frozenset(asked), text) is alone


def test_four_superlatives_of_a_question_are_heeded():
    assert superlatives("the oldest, tallest, widest, deepest, loudest") == {
        "oldest",
        "tallest",
        "widest",
        "deepest",
    }
