"""Two answers are one exactly where they say the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.text.identity import answer_identity

ONE = [
    ("The Eiffel Tower", "eiffel tower"),
    ("the  Rhine.", "Rhine"),
    ("“Celador”", "Celador"),
    ("1,000", "1000"),
    ("1,234,567 km", "1234567 km"),
    ("−5 °C", "-5 °C"),
    ("5 °C", "5°C"),
    ("52.4 %", "52.4%"),
    ("twenty-one", "twenty one"),
    ("1990–1995", "1990-1995"),
    ("Paris, France", "Paris France"),
    ("Hen\u00adrik Lar\u00adsen", "Henrik Larsen"),
    ("ﬁrst ﬂoor", "first floor"),
    ("O’Brien", "O'Brien"),
    ("(1887)", "1887"),
    ("a dog", "dog"),
    ("5\u00a0km", "5 km"),
    ("5km", "5 km"),
    ("J. K. Rowling", "J.K. Rowling"),
    ("J.K. Rowling", "JK Rowling"),
    ("U.S. Army", "US Army"),
    ("7 p.m.", "7 PM"),
    ("7pm", "7 p. m."),
    ("Dr. Smith", "Dr Smith"),
    ("George W. Bush", "George W Bush"),
    ("$ 5 million", "$5 million"),
    ("10 – 12", "10-12"),
    ("16 : 9", "16:9"),
    ("“1984”", "1984"),
]
APART = [
    ("-5 °C", "5 °C"),
    ("3", "3%"),
    ("3", "$3"),
    ("C++", "C#"),
    ("C", "C++"),
    ("hepatitis A", "hepatitis B"),
    ("A", "The"),
    ("A", "B"),
    ("The The", "The"),
    ("1.5", "15"),
    ("1,5", "15"),
    ("10:30", "1030"),
    ("--fix", "fix"),
    (".NET", "NET"),
    (".5", "5"),
    ("/etc/app", "etc app"),
    ("5 °C", "5 °F"),
    ("1990-1995", "1990 1995"),
    ("v1.2", "v12"),
    ("A-ha", "ha"),
    ("A-Team", "Team"),
    ("6'", '6"'),
    ("6'", "6"),
    ("9 to 5", "5 to 9"),
    ("5g", "5 g"),
    ("10 -5", "105"),
]


@pytest.mark.parametrize(("one", "other"), ONE)
def test_another_form_is_the_same_answer(one, other):
    assert answer_identity(one) == answer_identity(other)


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_says_something_else_is_another_answer(one, other):
    assert answer_identity(one) != answer_identity(other)


@pytest.mark.parametrize(
    ("answer", "kept"), [("A", "a"), ("The The", "the the"), ("an A", "a"), ("The", "the"), ("O", "o")]
)
def test_an_article_can_be_the_answer(answer, kept):
    assert answer_identity(answer) == kept


@pytest.mark.parametrize("nothing", ["", " ", "...", "\u200b", "“”", "()"])
def test_marks_alone_say_nothing(nothing):
    assert answer_identity(nothing) == ""


@given(st.text(max_size=40))
def test_space_around_and_upper_case_letters_never_matter(answer):
    assert answer_identity(f"  {answer}\n") == answer_identity(answer)
    assert answer_identity(answer.replace("i", "I").replace("e", "E")) == answer_identity(answer)
