import time

import pytest

from extraction.pdf.layout import _CONTENTS, _LAST_WORD


@pytest.mark.parametrize(
    ("text", "word"), [("a well-known exam-", "exam"), ("exam-", "exam"), ("über-", "über")]
)
def test_the_last_word_before_a_hyphen_is_found(text, word):
    assert _LAST_WORD.search(text)[1] == word


@pytest.mark.parametrize("text", ["a" * 200_000, "a-" * 100_000 + "x", "a " + "." * 200_000 + "x"])
def test_the_end_of_a_line_is_looked_at_in_linear_time(text):
    started = time.process_time()
    assert _LAST_WORD.search(text) is None
    assert _CONTENTS.fullmatch(text) is None
    assert time.process_time() - started < 20  # it took minutes
