import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from quote_check.folding import Folded, folded
from quote_check.nearest import ELISION_GAP, nearest_match
from retriever.sentences import splits_character

ALPHABET = "aab ccE.\n'\"’“-–…\u0301\u0327éÉßİﬁ\u00ad\u200b\u00a0😀👍\U0001f3fd\u200d가ᄀ\u1161Ⅳ"
texts = st.text(ALPHABET, max_size=40)


@given(texts)
def test_every_folded_character_knows_its_origin(text):
    source = Folded.of(text)
    assert len(source.text) == len(source.starts) == len(source.ends)
    assert list(source.starts) == sorted(source.starts)
    assert all(0 <= start < end <= len(text) for start, end in zip(source.starts, source.ends, strict=True))
    for at in range(len(source.text)):
        span = source.origin(at, at + 1)
        assert not splits_character(text, span.start)
        assert not splits_character(text, span.end)
        assert source.text[at].strip() == "" or source.text[at] in folded(span.of(text))


@given(texts)
def test_canonically_equal_texts_fold_alike(text):
    assert (
        folded(unicodedata.normalize("NFD", text))
        == folded(unicodedata.normalize("NFC", text))
        == folded(text)
    )


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("ﬁre  and\u00a0\nICE", "fire and ice"),
        ("‘it’s’ « so »", "'it's' \" so \""),
        ("1718–1723—now", "1718-1723-now"),
        ("Straße", "strasse"),
        ("co\u00adop\u200b", "coop"),
        ("a \u200b\u00a0 b", "a b"),
        ("e\u0327\u0301", "e\u0301\u0327"),
        ("wait…", "wait..."),
        ("５", "5"),
    ],
)
def test_looks_do_not_count(text, same):
    assert folded(text) == folded(same)


@pytest.mark.parametrize(("text", "other"), [("café", "cafe"), ("a b", "ab"), ("1889", "1898"), ("a.", "a")])
def test_letters_marks_and_punctuation_do(text, other):
    assert folded(text) != folded(other)


@given(texts, st.data())
def test_a_piece_of_a_text_is_found_whatever_its_looks(text, data):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    if splits_character(text, start) or splits_character(text, end) or not folded(text[start:end]):
        return
    for quote in (
        text[start:end],
        unicodedata.normalize("NFKC", text[start:end]),
        f" {text[start:end].upper()} ",
    ):
        if folded(quote) == folded(text[start:end]):
            match = nearest_match(quote, text)
            assert match is not None
            assert match.similarity == 1
            assert folded(match.span.of(text)) == folded(quote)


@given(texts, texts, st.sampled_from([0.0, 0.5, 0.9]))
def test_a_similarity_is_that_of_the_span_shown(quote, text, above):
    match = nearest_match(quote, text, above=above)
    if match is not None:
        shown = match.span.of(text)
        assert not splits_character(text, match.span.start)
        assert not splits_character(text, match.span.end)
        assert above < match.similarity <= 1
        if match.similarity < 1:
            assert match.similarity == fuzz.ratio(folded(quote), folded(shown)) / 100


TEXT = (
    "Été: the ﬁrst “ﬂame” of 😀 1698 – a cafe\u0301 in\u00a0the  harbour, said Zoë. It burned for five days."
)


@pytest.mark.parametrize(
    ("quote", "shown"),
    [
        ('first "flame" of 😀 1698 - a café', "ﬁrst “ﬂame” of 😀 1698 – a cafe\u0301"),
        ("IN THE HARBOUR", "in\u00a0the  harbour"),
        ("“in the harbour”", "in\u00a0the  harbour"),
        ("e\u0301te\u0301", "Été"),
        ("in the harbour...", "in\u00a0the  harbour"),
        ("… burned for five [...]", "burned for five"),
        ("in the harbour ... burned for", "in\u00a0the  harbour, said Zoë. It burned for"),
        ("in the (…) said zoe\u0308", "in\u00a0the  harbour, said Zoë"),
        ("Été: the . . . a café … five days.", TEXT),
    ],
)
def test_the_place_is_exact_where_only_looks_or_omissions_differ(quote, shown):
    match = nearest_match(quote, TEXT)
    assert (match.span.of(TEXT), match.similarity) == (shown, 1.0)


@pytest.mark.parametrize(
    ("quote", "shown"),
    [
        ("in the big harbour, said Zoë", "in\u00a0the  harbour, said Zoë."),
        ("burned for fifteen days", "burned for five days."),
        ("It was burned for five long days.", "It burned for five days."),
    ],
)
def test_a_merely_similar_place_has_whole_words(quote, shown):
    match = nearest_match(quote, TEXT)
    assert match.span.of(TEXT) == shown
    assert 0.8 < match.similarity < 1


def test_half_a_ligature_is_no_place():
    assert nearest_match("inal", "the ﬁnal word").similarity == pytest.approx(2 * 4 / 9)
    assert nearest_match("inal", "the ﬁnal inal").span.of("the ﬁnal inal") == "inal"


def test_text_without_spaces_is_compared_character_by_character():
    text = "東京は日本の首都であり世界最大の都市の一つとして知られている。" * 3
    match = nearest_match("首都であり世界で最大の都市", text)
    assert match.span.of(text) == "首都であり世界最大の都市"
    assert match.similarity == pytest.approx(26 / 28)  # で is two characters, decomposed


def test_an_omission_has_its_order_and_its_limit():
    near = "one two" + "x" * ELISION_GAP + "three four"
    assert nearest_match("one two...three four", near).similarity == 1
    assert nearest_match("one two...three four", "one two x" + near[7:]).similarity < 1
    assert nearest_match("three four ... one two", near).similarity < 1
    assert nearest_match("one two ... one two", "one two").similarity < 1


def test_of_several_runs_with_the_omission_the_shortest_is_meant():
    text = "to the east, to the west, and to the east, in the end"
    match = nearest_match("to the ... in the", text)
    assert (match.span.start, match.span.end) == (30, 49)


def test_single_words_around_an_omission_would_fit_anywhere():
    assert nearest_match("the ... of", "the tower of stone").similarity < 1


def test_a_long_quote_is_aligned_by_words():
    words = [f"word{number}" for number in range(400)]
    text = " ".join(words)
    changed = " ".join([*words[100:200], "changed", *words[201:300]])
    assert len(changed) > 1000
    match = nearest_match(changed, text)
    assert match.span.of(text) == " ".join(words[100:300])
    assert 0.98 < match.similarity < 1


def test_nothing_is_near_nothing():
    assert nearest_match("", "text") is None
    assert nearest_match("\u00ad", "text") is None
    assert nearest_match("text", "") is None
    assert nearest_match("日本", "text") is None
    assert nearest_match("text", "text", above=1.0) is None
