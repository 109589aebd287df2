import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quote_check.folding import Fold, Folded, folded, same_but_for, without_end_mark
from retriever.text.sentences import splits_character

ALPHABET = "aab ccE.\n'\"’“-–…\u0301\u0327éÉßİﬁ\u00ad\u200b\u00a0😀👍\U0001f3fd\u200d가ᄀ\u1161Ⅳ"
texts = st.text(ALPHABET, max_size=40)


@given(texts)
def test_every_folded_character_knows_its_origin(text):
    source = Folded.of(text)
    for at in range(len(source.text)):
        span = source.origin(at, at + 1)
        assert 0 <= span.start < span.end <= len(text)
        assert not splits_character(text, span.start)
        assert not splits_character(text, span.end)
        assert source.text[at].strip() == "" or source.text[at] in folded(span.of(text))


@given(texts)
def test_canonically_equal_texts_fold_alike(text):
    # whether a line's hyphen or a joiner is folded depends on the letters beside it
    text = text.replace("\n", "").replace("\u200d", "")
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


@pytest.mark.parametrize(
    ("quote", "text", "folds"),
    [
        ("the tower", "the tower", set()),
        ("the  tower", "the\ntower", {Fold.WHITE_SPACE}),
        ("the “tower”", 'the "tower"', {Fold.QUOTATION_MARKS}),
        ("1718-1723", "1718–1723", {Fold.DASHES}),
        ("and so...", "and so…", {Fold.ELLIPSES}),
        ("fire", "ﬁre", {Fold.LIGATURES}),
        ("coop", "co\u00adop\u200b", {Fold.INVISIBLE}),
        ("the company fell", "the com-\npany fell", {Fold.INVISIBLE}),
        ("café", "cafe\u0301", {Fold.COMPOSITION}),
        ("It fell", "it fell", {Fold.FIRST_LETTER}),
        ("it fell,", "it fell", {Fold.END_MARK}),
        ("It  fell.", "it fell", {Fold.FIRST_LETTER, Fold.WHITE_SPACE, Fold.END_MARK}),
        ("It Fell", "it fell", None),
        ("５ towers", "5 towers", None),
        ("it fell", "it felt", None),
        ("it fell...", "it fell", None),
        ("it fell!", "it fell", None),
        ("10² km", "102 km", None),
    ],
)
def test_what_differs_is_said_and_letters_are_no_looks(quote, text, folds):
    assert same_but_for(quote, text) == folds


@given(texts)
def test_what_is_the_same_but_for_folds_is_equal_when_folded(text):
    for other in (unicodedata.normalize("NFD", text), text.replace(" ", "  "), text.replace('"', "“")):
        if other.strip() and same_but_for(text.strip(), other.strip()) is not None:
            assert folded(without_end_mark(text.strip())) == folded(without_end_mark(other.strip()))
