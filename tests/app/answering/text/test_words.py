"""What counts as a text with words."""

import pytest

from app.answering.text.words import has_words
from benchmarks.hostile_texts import hostile


@pytest.mark.parametrize("kind", ["letters", "digits", "emoji", "joined emoji", "flags", "chinese"])
def test_a_run_of_one_sign_has_none(kind):
    assert not has_words(hostile(kind, 1_000))


@pytest.mark.parametrize("text", ["", " \r\n", "...", "🗼", "c" * 65])
def test_nothing_but_signs_has_none(text):
    assert not has_words(text)


@pytest.mark.parametrize(
    "text", ["key", "5 °C", f"{'c' * 900} key", "c" * 64, "das Schloß", "ключ", "第一章。鑰匙"]
)
def test_one_word_is_enough(text):
    assert has_words(text)
