"""Question and answer as one statement."""

import pytest

from training.support.statements import statement


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("Who designed the tower?", "Anna Keeper", "Anna Keeper designed the tower."),
        ("Who was elected mayor?", "Bert", "Bert was elected mayor."),
        ("What is the capital of Kent?", "Maidstone", "The capital of Kent is Maidstone."),
        ("When was the tower built?", "1803", "The tower was built in 1803."),
        ("How many cranes does Dover have?", "12", "Dover have 12."),
        ("Why is it there?", "for ships", None),
    ],
)
def test_question_and_answer_become_a_statement(question, answer, said):
    assert statement(question, answer) == said
