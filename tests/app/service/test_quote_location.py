"""Where a written quote stands: word for word, or the real span that is nearly the same, or nowhere."""

import pytest

from app.service.quote_location import StandingQuotes
from retriever.types import Document, Span

TEXT = (
    "The first café opened in 1685.\r\nJohannes Diodato, an Armenian trader, ran it for sixteen years. "
    "It closed in 1701. Families came on Sundays, and “everybody” drank coffee."
)
DOCUMENT = Document("cafes", "Cafés", TEXT)
WHOLE = Span(0, len(TEXT))


def located(quote: str, within: Span = WHOLE):
    found = StandingQuotes().locate(quote, DOCUMENT, within)
    return None if found is None else (found.span.of(TEXT), found.verbatim)


@pytest.mark.parametrize(
    ("quote", "stands"),
    [
        ("The first café opened in 1685.", "The first café opened in 1685."),
        ("opened in 1685. Johannes Diodato", "opened in 1685.\r\nJohannes Diodato"),
        ("the first cafe\u0301 opened in 1685", "The first café opened in 1685"),
        ("'Families came on Sundays, and \"everybody\" drank coffee.'", TEXT[TEXT.index("Families") :]),
    ],
)
def test_a_quote_that_differs_in_looks_at_most_is_verbatim_and_the_real_characters_are_quoted(quote, stands):
    assert located(quote) == (stands, True)


@pytest.mark.parametrize(
    "quote",
    [
        "Johannes Diodato, an Armenian trader, ran it for sixty years.",
        "Johannes Diodato, an armenian Trader, ran it for sixteen years.",
    ],
)
def test_a_quote_that_is_nearly_right_becomes_the_real_span(quote):
    assert located(quote) == ("Johannes Diodato, an Armenian trader, ran it for sixteen years.", False)


@pytest.mark.parametrize(
    ("quote", "text", "real"),
    [
        (
            "legal to park here at night",
            "It is illegal to park here at night.",
            "illegal to park here at night.",
        ),
        (
            "5 million people live in the city",
            "Some 15 million people live in the city.",
            "15 million people live in the city.",
        ),
        ("legal to", "It is illegal to park.", None),
    ],
)
def test_what_parts_a_word_or_number_becomes_the_real_span_of_whole_words(quote, text, real):
    found = StandingQuotes().locate(quote, Document("d", "D", text), Span(0, len(text)))
    assert (found and (found.span.of(text), found.verbatim)) == (real and (real, False))


def test_a_quote_with_an_omission_becomes_the_whole_run():
    whole = TEXT[: TEXT.index(" for sixteen")]
    assert located("The first café opened in ... an Armenian trader, ran it") == (whole, True)


@pytest.mark.parametrize(
    "quote",
    [
        "",
        "...",
        "“”",
        "Johannes Diodato was a trader from Armenia who had it for years.",
        "A café opened somewhere else in another century altogether.",
        "Johannes Diodatus",
    ],
)
def test_what_is_not_like_the_text_is_nowhere(quote):
    assert located(quote) is None


def test_of_a_few_words_the_sentence_around_them_is_quoted():
    assert located("closed in 1701") == ("It closed in 1701.", True)
    assert located("Diodato") == ("Johannes Diodato, an Armenian trader, ran it for sixteen years.", True)


def test_what_stands_outside_the_part_that_was_shown_is_nowhere():
    assert located("The first café opened in 1685.", Span(TEXT.index("Johannes"), len(TEXT))) is None
    inside = located("It closed in 1701. Families came", Span(TEXT.index("Johannes"), len(TEXT)))
    assert inside == ("It closed in 1701. Families came", True)


def test_a_quote_that_folds_to_more_letters_than_a_claim_may_have_is_nowhere():
    text = "\ufdfa " * 300
    for count, stands in ((200, True), (300, False)):  # nineteen characters each when folded
        found = StandingQuotes().locate(
            ("\ufdfa " * count).strip(), Document("d", "T", text), Span(0, len(text))
        )
        assert (found is not None) is stands


def test_the_check_is_asked_wherever_a_quote_is_looked_for():
    asked = []
    for quote in ("It closed in 1701.", "Johannes Diodato, an Armenian trader, ran it for sixty years."):
        asked.append(0)

        def check():
            asked[-1] += 1

        StandingQuotes().locate(quote, DOCUMENT, WHOLE, check)
    assert all(asked)
