"""Claims that are answers: each corruption is what its kind says."""

from dataclasses import replace
from random import Random

import pytest

from app.answering.support import Claim
from app.answering.text.answer_match import has_answer
from retriever.text.sentences import sentence_spans
from retriever.types import Span
from tests.training.support.toy_claims import (
    ANSWERING,
    ASKED,
    BUILDER,
    FIRST,
    PLAIN,
    SECOND,
    SEEDS,
    claims_of,
    examples_of,
)
from training.data.group import record_of
from training.data.question import Source
from training.support.corruption import ValueKind, kind_of, same
from training.support.kinds import Kind


def test_a_supported_answer_comes_with_its_sentence(examples):
    for claim in claims_of(examples, Kind.TRUE):
        assert claim == Claim("When was the tower built?", "1803", "Dover", ANSWERING)


def test_the_quote_of_another_passage_does_not_hold_the_answer(examples):
    for claim in claims_of(examples, Kind.OTHER_PASSAGE):
        assert (claim.answer, claim.title) == ("1803", "Calais")
        assert claim.quote in SECOND
        assert not has_answer(claim.quote, ["1803"])


def test_a_neighbour_is_a_sentence_of_the_passage_without_the_answer(examples):
    quotes = {claim.quote for claim in claims_of(examples, Kind.NEIGHBOUR)}
    assert quotes == {span.of(FIRST) for span in sentence_spans(FIRST)} - {ANSWERING}


@pytest.mark.parametrize(("record", "right"), [(ASKED, "1803"), (BUILDER, "Anna Keeper")])
def test_another_claim_is_another_value_of_the_same_kind_with_the_true_quote(examples, record, right):
    claims = claims_of(examples, Kind.OTHER_CLAIM, record)
    assert len({claim.answer for claim in claims}) > 1
    for claim in claims:
        assert claim.quote == ANSWERING
        assert not same(claim.answer, right)
        assert kind_of(claim.answer) is kind_of(right)


def test_another_claim_may_be_any_words_of_the_quote():
    examples = examples_of(replace(PLAIN, any_kind=1.0))
    claims = claims_of(examples, Kind.OTHER_CLAIM)
    assert {kind_of(claim.answer) for claim in claims} >= {ValueKind.NAME, ValueKind.WORDS}
    for claim in claims:
        assert claim.quote == ANSWERING
        assert claim.answer in ANSWERING
        assert not same(claim.answer, "1803")


@pytest.mark.parametrize(("record", "right"), [(ASKED, "1803"), (BUILDER, "Anna Keeper")])
def test_an_altered_quote_says_another_answer_and_nothing_else(examples, record, right):
    before, after = ANSWERING.split(right)
    for claim in claims_of(examples, Kind.ALTERED_QUOTE, record):
        assert claim.answer == right
        assert claim.quote.startswith(before)
        assert claim.quote.endswith(after)
        assert right not in claim.quote
        assert claim.quote != ANSWERING


def test_a_denied_quote_differs_by_its_denial(examples):
    quotes = {claim.quote for claim in claims_of(examples, Kind.DENIED_QUOTE)}
    assert quotes <= {ANSWERING.replace("was", "was not"), ANSWERING.replace("was", "was never")}


def test_a_quote_by_chance_holds_the_answer_to_another_question(examples):
    for claim in claims_of(examples, Kind.BY_CHANCE):
        assert claim == Claim(
            "When was the tower built?", "1803", "Emden", "In 1803 a ship was named after the queen."
        )


def test_a_claim_may_be_a_statement_without_its_question():
    settings = replace(PLAIN, stated=1.0, without_question=1.0)
    examples = examples_of(settings)
    claim = examples.of_kind(ASKED, Kind.TRUE, Random(0))
    assert (claim.question, claim.answer) == ("", "The tower was built in 1803.")


def test_a_distant_answer_counts_only_where_the_sentence_is_about_the_question(examples):
    spans = [Span(FIRST.index("1803"), FIRST.index("1803") + 4)]
    about, beside = (
        record_of("nq-1", Source.NQ, question, ["1803"], [(1, spans), (2, [])])
        for question in ("when was the tower built", "when did the emperor invade england")
    )
    assert examples.of_kind(about, Kind.TRUE, Random(0)) is not None
    assert examples.of_kind(beside, Kind.TRUE, Random(0)) is None
    assert not any(examples.drawn(beside, Random(seed)).kind.supported for seed in SEEDS)
