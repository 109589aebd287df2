from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.text.answer_match import answer_spans, has_answer, says_answer
from retriever.types import Span

TEXTS = st.text(alphabet="aAbB ñn\u0303①１ﬁ😀the.,-\n", max_size=40)


@pytest.mark.parametrize(
    ("text", "answer", "found"),
    [
        ("He met Smith.", "smith", ["Smith"]),
        ("by Hen\u00adrik Lar-\nsen of Graﬀton", "Henrik Larsen", ["Hen\u00adrik Lar-\nsen"]),
        ("by Hen\u00adrik of Gra\u00adﬀton.", "Graffton", ["Gra\u00adﬀton"]),
        ("Blacksmiths met", "smith", []),
        ("The Beatles and the beatles", "Beatles", ["Beatles", "beatles"]),
        ("in the U.S. since", "the US", []),
        ("in the U.S. since", "U.S.", ["U.S"]),
        ("a cafe\u0301 bar", "café", ["cafe\u0301"]),
        ("on\u00a0May\u00a05", "May 5", ["May\u00a05"]),
        ("１９９８ it was", "1998", ["１９９８"]),
        ("😀 Lisbon 😀", "Lisbon", ["Lisbon"]),
        ("end of war, end of the war", "the end of war", ["end of war", "end of the war"]),
        ("aa aa aa", "aa aa", ["aa aa"]),
        ("anything", "", []),
        ("anything", "the", []),
        ("½ cup", "½", ["½"]),
    ],
)
def test_an_answer_stands_where_its_whole_words_do(text, answer, found):
    spans = answer_spans(text, [answer])
    assert [span.of(text) for span in spans] == found
    assert has_answer(text, [answer]) is bool(found)


@pytest.mark.parametrize(
    ("said", "answer", "says"),
    [
        ("about 500 euros", "500 euros", True),
        ("1,500 euros", "500 euros", False),
        ("2.500 euros", "500 euros", False),
        ("-500 euros", "500 euros", False),
        ("\N{MINUS SIGN}5 degrees", "-5 degrees", True),
        ("1,500 euros", "1500 euros", True),
        ("3.9", "9", False),
        ("3,9", "39", False),
        ("1939-45", "45", True),
        ("COVID-19", "19", True),
        ("Vitamin D", "Vitamin A", False),
        ("Vitamin A", "Vitamin A", True),
        ("too little Vitamin A in food", "vitamin a", True),
        ("Section B", "Section A", False),
        ("the end of a war", "end of the war", True),
        ("The Beatles", "Beatles", True),
        ("blacksmiths", "smith", False),
        ("Henrik Lar\u00adsen", "Larsen", True),
        ("anything", "", False),
        ("the", "a", False),
    ],
)
def test_what_was_said_has_an_answer_in_it_as_whole_words_and_numbers(said, answer, says):
    assert says_answer(said, ["nothing of it", answer]) is says


def test_of_answers_that_overlap_the_longest_counts():
    assert answer_spans("New York City", ["York", "New York", "New York City"]) == [Span(0, 13)]
    assert answer_spans("York, New York", ["York", "New York"]) == [Span(0, 4), Span(6, 14)]


@given(text=TEXTS, answer=TEXTS)
def test_what_is_found_has_the_answers_words(text, answer):
    spans = answer_spans(text, [answer])
    assert has_answer(text, [answer]) == bool(spans)
    for span in spans:
        assert has_answer(span.of(text), [answer])
        assert has_answer(answer, [span.of(text)])
    assert all(one.end <= other.start for one, other in pairwise(spans))


@given(before=TEXTS, answer=TEXTS, after=TEXTS)
def test_an_answer_between_spaces_is_found(before, answer, after):
    # a word that a line end parts is one word: no space stands before that line end
    parted = any(text.rstrip().endswith(("-", "\N{HYPHEN}")) for text in (before, answer))
    if has_answer(answer, [answer]) and not parted:
        assert has_answer(f"{before} {answer} {after}", [answer])
