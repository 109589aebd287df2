import pytest

from extraction.pdf.contents import _entry
from extraction.pdf.layout import _LAST_WORD
from tests.growth import assert_linear


@pytest.mark.parametrize(
    ("text", "word"), [("a well-known exam-", "exam"), ("exam-", "exam"), ("über-", "über")]
)
def test_the_last_word_before_a_hyphen_is_found(text, word):
    assert _LAST_WORD.search(text)[1] == word


@pytest.mark.parametrize(
    ("before", "unit", "after"), [("", "a", ""), ("", "a-", "x"), ("a ", ".", "x"), ("", "1", "")]
)
def test_the_end_of_a_line_is_looked_at_in_linear_time(before, unit, after):
    def looked_at(characters: int) -> None:
        text = before + unit * (characters // len(unit)) + after
        assert _LAST_WORD.search(text) is None
        assert _entry(text) is None

    assert_linear(looked_at, 50_000)  # it took minutes for four times as many


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("Tools 4", ("Tools", 4)),
        ("SCOPE ........ 12", ("SCOPE", 12)),
        ("Tools.....4", ("Tools", 4)),
        ("ASVS 3.0 8", None),  # the title ends in a number: a row of a table, more likely
        ("Chapter 1 ..... 10", ("Chapter 1", 10)),
        ("Version 1.2", None),
        ("Tools", None),
        ("Tools4", None),
        ("12345", None),
        ("4", None),
    ],
)
def test_an_entry_of_a_table_of_contents_is_a_title_and_a_number(text, entry):
    assert _entry(text) == entry
