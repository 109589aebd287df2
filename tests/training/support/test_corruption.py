"""Edits of texts change what they say, and nothing else."""

from random import Random

import pytest

from retriever.types import Span
from training.support.corruption import (
    ValueKind,
    kind_of,
    others_of_kind,
    replaced,
    reversed_polarity,
    shortened,
    values,
    varied,
)

SEEDS = range(40)


def test_names_numbers_and_dates_are_found_with_their_places():
    text = "In May 1810 Anna Keeper of Dover paid 1,200 pounds for three lamps."
    found = values(text)
    assert [(value.kind, value.text) for value in found] == [
        (ValueKind.DATE, "May 1810"), (ValueKind.NAME, "Anna Keeper of Dover"), (ValueKind.NUMBER, "1,200"),
        (ValueKind.NUMBER, "three"),
    ]  # fmt: skip
    assert all(value.span.of(text) == value.text for value in found)
    assert values("Lamps burn oil at night.") == []


@pytest.mark.parametrize(
    "answer", ["1803", "3 May 1810", "1850s", "12", "9", "007", "1,200", "10,000 men", "three"]
)
def test_a_varied_answer_is_another_one_of_the_same_kind(answer):
    others = {varied(answer, Random(seed)) for seed in SEEDS}
    assert answer not in others
    assert len(others) > 3
    assert {kind_of(one) for one in others} == {kind_of(answer)}
    assert varied("Anna Keeper", Random(0)) is None


@pytest.mark.parametrize("answer", ["23,456", "23456", "140,003,542", "7050135639273999999"])
def test_a_varied_number_is_near_on_either_side(answer):
    number = int(answer.replace(",", ""))
    others = [int(varied(answer, Random(seed)).replace(",", "")) for seed in SEEDS]
    assert min(others) < number < max(others)
    assert all(number / 2 <= other <= number * 1.5 and other != number for other in others)


def test_a_replacement_takes_whole_words_everywhere():
    assert replaced("Dover and Dover's Dovers.", "Dover", "Emden") == "Emden and Emden's Dovers."
    assert replaced("Nothing here.", "Dover", "Emden") is None


def test_values_that_are_part_of_an_answer_are_no_others():
    text = "Anna Keeper met Keeper, Bert Mason and Anna in 1803."
    assert others_of_kind(text, "Anna Keeper", ["Anna Keeper"]) == ["Bert Mason"]


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("It was lit.", {"It was not lit.", "It was never lit."}),
        ("It was not lit.", {"It was lit."}),
        ("It was never lit.", {"It was lit."}),
        ("It cannot not burn.", {"It can burn."}),
        ("She opened it.", {"She never opened it."}),
        ("A quiet river.", {None}),
    ],
)
def test_polarity_is_reversed(text, changed):
    assert {reversed_polarity(text, Random(seed)) for seed in SEEDS} == changed


def test_only_the_clause_around_the_answer_is_denied():
    text = "The mill was old, and the tower was built in 1803, but nobody was there."
    near = Span(text.index("1803"), text.index("1803") + 4)
    found = {reversed_polarity(text, Random(seed), near=near) for seed in SEEDS}
    assert found == {text.replace("was built", f"was {no} built") for no in ("not", "never")}
    assert reversed_polarity("It was, in 1803, Dover.", Random(0), near=Span(17, 22)) is None


def test_a_shortened_sentence_lacks_a_clause():
    text = "In 1803, the tower (a light) was built of stone, which lasts."
    assert {shortened(text, Random(seed)) for seed in SEEDS} == {
        "The tower (a light) was built of stone, which lasts.",
        "In 1803, the tower was built of stone, which lasts.",
        "In 1803, the tower (a light) was built of stone.",
    }
    assert shortened("The tower stands.", Random(0)) is None
