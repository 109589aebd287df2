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
        ("what is the west coast", set()),
        ("who wrote hamlet", set()),
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
        ("The second largest is Saturn, the largest Jupiter.", False),
        ("It is the largest.", False),
        ("It is a large planet.", False),
    ],
)
def test_a_text_tells_lower_ranks_alone(text, alone):
    assert tells_lower_ranks_alone("largest", text) is alone


def test_other_superlatives_do_not_count():
    assert not tells_lower_ranks_alone("smallest", "It is the fourth-largest planet.")
    assert tells_lower_ranks_alone("most populous", "It is the second most populous state.")
