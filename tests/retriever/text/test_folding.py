import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retriever.text import folding
from retriever.text.folding import fold, shown
from retriever.types import Span

PIECES = [
    "com",
    "pany",
    "well",
    "a",
    "B",
    "e\u0301",
    "7",
    " ",
    "\n",
    "\r\n",
    "-",
    "-\n",
    "- \r\n ",
    ".",
    "\U0001f469",
]
FOLDED = ["\u00ad", "\u00ad\n", "\u2010\n", "\u200b", "\u200c", "\u200d", "\ufeff", "\u202e", "ﬁ", "ﬃ", "ﬅ"]
TEXTS = st.lists(st.sampled_from(PIECES + FOLDED), max_size=14).map("".join)


def words_of(text: str) -> list[Span]:
    return [Span(*match.span()) for match in re.finditer(r"[\w\u0301-]+(?:\n[\w\u0301-]+)*", text)]


@given(TEXTS, st.data())
def test_a_span_of_whole_words_stands_for_stored_characters_that_fold_to_the_same(text, data):
    folded = fold(text)
    words = words_of(folded.text)
    if not words:
        return
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    span = Span(words[first].start, words[last].end)
    assert fold(folded.stored(span).of(text)).text == span.of(folded.text)


@given(TEXTS, st.data())
def test_any_span_stands_for_the_least_stored_characters_that_hold_it(text, data):
    folded = fold(text)
    if not folded.text:
        return
    start = data.draw(st.integers(0, len(folded.text) - 1))
    end = data.draw(st.integers(start + 1, len(folded.text)))
    stored = folded.stored(Span(start, end))
    within = [folded.stored(Span(at, at + 1)) for at in range(start, end)]
    assert (stored.start, stored.end) == (within[0].start, within[-1].end)
    assert all(fold(span.of(text)).text in ("fi", "ffi", "st", span.of(text)) for span in within)


@given(TEXTS)
def test_many_offsets_are_mapped_as_one_is(text):
    folded = fold(text)
    offsets = np.array([(at, at + 1) for at in range(len(folded.text))] + [(0, 0)], dtype=np.int64).reshape(
        -1, 2
    )
    mapped = folded.stored_offsets(offsets)
    for (start, end), at in zip(mapped[:-1], range(len(folded.text)), strict=True):
        assert Span(int(start), int(end)) == folded.stored(Span(at, at + 1))
    assert mapped[-1][0] == mapped[-1][1]


@given(st.text(st.characters(max_codepoint=0x7F, exclude_characters="-"), max_size=60))
def test_a_text_without_anything_to_fold_is_itself(text):
    assert fold(text).text is text
    assert shown(text) == text


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("foun\u00added by Hen\u00adrik", "founded by Henrik"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("\u202eright to left\u202c", "right to left"),
        ("the oﬃce in the ﬁrst ﬂoor", "the office in the first floor"),
        ("the com-\npany and the com-\r\n  pany", "the company and the company"),
        ("the com\u00ad\npany", "the company"),
        ("the com\u2010\npany", "the company"),
        ("a\u200db", "ab"),
    ],
)
def test_what_cannot_be_seen_is_folded(text, folded):
    assert fold(text).text == folded


@pytest.mark.parametrize(
    "text",
    [
        "a well-\nknown man",
        "state-of-the-\nart",
        "the years 1914-\n1918",
        "the Anglo-\nSaxon king",
        "a list -\nlong",
        "com-\n\npany",
        "\U0001f469\u200d\U0001f467",
        "می\u200cخواهم",
    ],
)
def test_what_belongs_to_the_text_stays(text):
    assert fold(text).text == text


def test_a_word_found_in_the_folded_text_is_a_span_of_the_stored_one():
    text = "The com\u00adpany of Hen\u00adrik Lar-\nsen."
    folded = fold(text)
    at = folded.text.index("Henrik Larsen")
    assert folded.stored(Span(at, at + len("Henrik Larsen"))).of(text) == "Hen\u00adrik Lar-\nsen"


def test_what_is_shown_keeps_ligatures():
    assert shown("Graﬀ\u00adton House, Lar-\nsen") == "Graﬀton House, Larsen"


def test_a_million_characters_are_folded_in_time():
    for unit in ("a-\n", "\u00ad", "ﬁ", "word ", "-", "a\u200d", "a- "):
        text = unit * (1_000_000 // len(unit))
        assert len(fold(text).text) <= 2 * len(text)


@pytest.mark.parametrize("around", ["a{}b", "a{}\nb", "a{} \t\r\n b", "A{}\nB", "{}"])
def test_no_character_that_is_folded_is_passed_over(around):
    for code in (*range(0xD800), *range(0xE000, 0x10000)):
        text = around.format(chr(code))
        folded = any(folding._edits(text, folding._FOLDABLE))
        assert (fold(text).starts is not None) == folded, hex(code)
