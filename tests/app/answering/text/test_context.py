"""The text around a quote: exact, short, and cut where words end."""

from hypothesis import given
from hypothesis import strategies as st

from app.answering.text.context import CONTEXT_CHARACTERS, text_after, text_before
from retriever.text.sentences import splits_character
from retriever.types import Span

WORDS = "alpha beta gamma delta " * 40


def test_the_context_is_cut_between_words():
    span = Span(460, 465)
    before, after = text_before(WORDS, span), text_after(WORDS, span)
    assert before == WORDS[300:460][WORDS[300:460].index(" ") + 1 :]
    assert after == WORDS[465:625][: WORDS[465:625].rindex(" ")]


def test_a_short_text_is_shown_to_its_ends():
    text = " One. Two. Three.\n"
    assert text_before(text, Span(6, 10)) == "One. "
    assert text_after(text, Span(6, 10)) == " Three."
    assert text_before(text, Span(0, 5)) == ""
    assert text_after(text, Span(11, len(text))) == ""


def test_text_without_white_space_is_cut_between_visible_characters():
    text = "e\u0301" * 300
    span = Span(301 - 1, 302)
    assert text_before(text, span) == "e\u0301" * 80
    assert text_after(text, Span(299, 301)) == text[301:460]  # 461 would part a letter from its accent


@given(
    st.text(alphabet="ab \n\r\u0301\u200d😀🇫中", min_size=1, max_size=500),
    st.integers(0, 499),
    st.integers(1, 30),
)
def test_the_context_is_the_documents_own_text(text, start, length):
    start = min(start, len(text) - 1)
    span = Span(start, min(len(text), start + length))
    before, after = text_before(text, span), text_after(text, span)
    assert text[span.start - len(before) : span.start] == before
    assert text[span.end : span.end + len(after)] == after
    assert max(len(before), len(after)) <= CONTEXT_CHARACTERS
    assert not before or not splits_character(text, span.start - len(before))
    assert not after or not splits_character(text, span.end + len(after))
