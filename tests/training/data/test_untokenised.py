"""Published tokens become text, and every span goes with its words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriever.types import Span
from training.data.untokenised import untokenised


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ("It opened ( in 1901 ) , they say .", "It opened (in 1901), they say."),
        ("the `` Valley of Death '' is here", 'the "Valley of Death" is here'),
        ("from 1914 -- 1918", "from 1914–1918"),
        ("a well - known city 's mayor did n't", "a well-known city's mayor didn't"),
        ("$ 9.8 billion ; 16 %", "$9.8 billion; 16%"),
        ("plain text", "plain text"),
        ("", ""),
    ],
)
def test_it_reads_as_people_write(tokens, text):
    assert untokenised(tokens).text == text


@pytest.mark.parametrize(
    ("answer", "now"),
    [("May 3 , 2018", "May 3, 2018"), ("`` No ''", '"No"'), ("doo - wop ( 1950s )", "doo-wop (1950s)")],
)
def test_a_span_goes_with_its_words(answer, now):
    tokens = f"It was ( as is known ) {answer} , they say ."
    start = tokens.index(answer)
    found = untokenised(tokens)
    span = found.span(Span(start, start + len(answer)))
    assert span is not None
    assert span.of(found.text) == now


def test_a_span_of_what_is_left_out_is_none():
    assert untokenised("a ( b )").span(Span(3, 4)) is None


@given(
    st.lists(
        st.sampled_from(["a", "b", ",", "(", ")", "-", "--", "``", "''", "'s", "/", "$", "."]), min_size=1
    )
)
def test_every_token_keeps_its_characters(words):
    tokens = " ".join(words)
    found = untokenised(tokens)
    at = 0
    for word in words:
        span = found.span(Span(at, at + len(word)))
        assert span is not None
        assert span.of(found.text) in {word, {"--": "–", "``": '"', "''": '"'}.get(word, word)}
        at += len(word) + 1
