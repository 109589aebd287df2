"""What is said of a quote that differs from the real text: above all what turns it round."""

import pytest

from quote_check.check import QuoteToCheck, Verdict, check_quote
from quote_check.corpus import GivenCorpus
from quote_check.difference import difference
from retriever.types import Document

TEXT = 'He said "it fell" in May (late), at 5 degrees; 30% of 1.5 km cost $7, a well-known 3-4 rise.'


@pytest.mark.parametrize(
    ("quoted", "said"),
    [
        ('"it fell"', ("'it fell'", "no word differs, but quotation marks do")),
        ('"it fell"', ("it fell", "no word differs, but quotation marks do")),
        ("at 5", ("at -5", "no word differs, but signs do: -")),
        ("at 5", ("at \N{MINUS SIGN}5", "no word differs, but signs do: -")),
        ("at 5", ("at +5", "no word differs, but signs do: +")),
        ("at 5", ("at -.5", "no word differs, but signs do: -")),
        ("30%", ("30", "no word differs, but signs do: %")),
        ("30%", ("30‰", "no word differs, but signs do: % ‰")),
        ("$7", ("€7", "no word differs, but signs do: $ €")),
        (
            "5 degrees; 30% of 1.5 km cost $7",
            ("$5 degrees; 30% of 1.5 km cost 7", "no word differs, but signs do: $"),
        ),
        ("1.5", ("1,5", "no word differs, but how a number is written does")),
        ("well-known", ("well known", "no word differs, but punctuation does")),
        ("3-4", ("3 - 4", "no word differs, but white space does")),
        ("3-4", ("3 4", "no word differs, but punctuation does")),
        ("(late)", ("late", "no word differs, but punctuation does")),
        ('He said "it fell" in May', ('In May he said "it fell"', "some words stand in another order")),
        ("fell", ("rose", "some words differ")),
        ("fell", ("never fell", "some words differ, a negation among them")),
        ("at 5", ("at 6", "some words differ, a number among them")),
        ("5 degrees; 30%", ("-5 grades; 30", "some words differ, and signs: % -")),
        ("1.5 km", ("1.50 km", "some words differ, a number among them")),
        ("at 5 degrees", ("at 5 grades, not 6", "some words differ, a number and a negation among them")),
        ("it fell", ("`it` fell", "no word differs, but punctuation does")),
        ("well-known", ("well-'known'", "no word differs, but quotation marks do")),
        ("1.5 km", ("1,5 miles", "some words differ, a number among them")),
    ],
)
def test_what_differs_is_named(quoted, said):
    instead, difference_ = said
    assert TEXT.count(quoted) == 1
    assert difference(TEXT.replace(quoted, instead), TEXT) == difference_


@pytest.mark.parametrize("around", ["“{}”", "({})", "'{}", "{}:", " {} "])
def test_what_stands_around_a_quote_is_no_part_of_what_differs(around):
    inner = TEXT.strip(".")
    assert difference(around.format(inner.replace("30%", "30")), TEXT) == "no word differs, but signs do: %"


@pytest.mark.parametrize("cited", ["d", None])
def test_a_verdict_names_the_signs_and_the_nested_marks_that_differ(cited):
    corpus = GivenCorpus([Document("d", "", f"Tea is hot. {TEXT} So it was.")])

    def finding(quote):
        return check_quote(QuoteToCheck(quote, (cited,) if cited else ()), corpus)

    nested = finding("He said 'it fell' in May (late), at 5 degrees")
    assert (nested.verdict, nested.reason) == (Verdict.NEARLY, "no word differs, but quotation marks do")
    assert nested.found.texts == ['He said "it fell" in May (late), at 5 degrees;']
    signed = finding('it fell" in May (late), at -5 degrees; 30 of 1.5 km')
    assert (signed.verdict, signed.reason) == (Verdict.NEARLY, "no word differs, but signs do: % -")


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("The tower was begun in 1698?", "The tower was begun in 1698."),
        ("The tower was begun in 1698!", "The tower was begun in 1698."),
        ("[The tower was begun in 1698.", "The tower was begun in 1698."),
        ("`run` make", "run` make"),
    ],
)
def test_marks_at_the_ends_are_told_where_nothing_else_differs(quote, text):
    assert difference(quote, text) == "no word differs, but the marks at its beginning or end do"


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("वह दीन बहुत ठंडा था", "वह दिन बहुत ठंडा था"),
        ("ราคาขั้นมาก", "ราคาขึ้นมาก"),
        ("the resumé is here", "the resume is here"),
        ("दीप दिन", "दिप दीन"),
    ],
)
def test_a_word_with_another_combining_mark_is_another_word(quote, text):
    assert difference(quote, text) == "some words differ"


@pytest.mark.parametrize(
    ("quote", "text", "said"),
    [
        ("वह दिन, बहुत ठंडा था", "वह दिन बहुत ठंडा था", "no word differs, but punctuation does"),
        ("बहुत वह दिन ठंडा था", "वह दिन बहुत ठंडा था", "some words stand in another order"),
        ("東京が、大きい", "東京が大きい", "no word differs, but punctuation does"),
        ("ดีปี5ครับ", "ปี5ครับ", "some words differ"),
        (
            "the caf\N{LATIN SMALL LETTER E WITH ACUTE}-5 bar",
            "the café 5 bar",
            "no word differs, but punctuation does",
        ),
        ("कि-5 था", "कि 5 था", "no word differs, but punctuation does"),
    ],
)
def test_combining_marks_are_no_punctuation_and_no_signs(quote, text, said):
    assert difference(quote, text) == said


@pytest.mark.parametrize(
    ("quote", "text", "said"),
    [
        ("by -5 it fell", "it fell by 5", "some words stand in another order; signs differ: -"),
        ("by 5 ≠ 6 it fell", "it fell by 5 = 6", "some words stand in another order; signs differ: = ≠"),
        ("by 5% it fell", "it fell by 5", "some words stand in another order; signs differ: %"),
        ("2.5 km of 1", "1.5 km of 2", "some words stand in another order; numbers differ"),
        ("-2.5 km of 1", "1.5 km of 2", "some words stand in another order; numbers differ; signs differ: -"),
    ],
)
def test_in_another_order_numbers_and_signs_that_differ_are_told(quote, text, said):
    assert difference(quote, text) == said


@pytest.mark.parametrize(
    ("quote", "text"),
    [("It did reach 6", "It did not reach 5"), ("It did reach -6", "It didn't reach -5")],
)
def test_a_negation_is_told_beside_a_number(quote, text):
    assert difference(quote, text) == "some words differ, a number and a negation among them"


def test_a_sign_that_stands_in_a_long_text_of_signs_is_told_once():
    assert difference("+ " * 20_000 + "a", "- " * 20_000 + "a") == "no word differs, but signs do: +"
