"""Questions as the service accepts them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.checked_input import checked_question
from common.errors import InvalidRequestError


def test_white_space_around_is_dropped_and_within_is_one_space():
    assert checked_question("\u3000 who\r\n\tdesigned\u00a0it?\x1f ") == "who designed it?"


@pytest.mark.parametrize("question", ["Wer war das?", "谁？", "מי?", "e\u0301te\u0301 👩‍👩‍👧?", "a" * 2_000])
def test_questions_of_any_language_stay_as_they_are(question):
    assert checked_question(question) == question


def test_length_counts_after_white_space_is_tidied():
    assert checked_question("a" * 1_000 + " " * 5_000 + "b" * 999) == "a" * 1_000 + " " + "b" * 999
    with pytest.raises(InvalidRequestError, match="has 2,001 characters"):
        checked_question("a" * 2_001)


@given(st.text(st.characters(exclude_categories=()), max_size=40))
def test_what_is_accepted_is_tidy_and_stays_so(text):
    try:
        question = checked_question(text)
    except InvalidRequestError:
        return
    assert question == " ".join(question.split()) != ""
    assert not {"Cc", "Cs"} & {unicodedata.category(character) for character in question}
    assert checked_question(question) == question
