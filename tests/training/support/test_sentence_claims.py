"""Claims that are sentences: each corruption is what its kind says."""

from tests.training.support.toy_claims import ANSWERING, FIRST, claims_of
from training.support.kinds import Kind


def test_a_supported_sentence_stands_in_its_passage(examples):
    for claim in claims_of(examples, Kind.TRUE_SENTENCE):
        assert claim.quote == FIRST
        assert claim.answer in FIRST
        assert claim.question == ("When was the tower built?" if claim.answer == ANSWERING else "")


def test_an_altered_sentence_differs_from_its_passage(examples):
    claims = claims_of(examples, Kind.ALTERED_SENTENCE)
    assert {claim.quote == FIRST for claim in claims} == {True, False}
    for claim in claims:
        assert claim.answer not in claim.quote


def test_a_denied_sentence_differs_from_its_passage_in_polarity(examples):
    claims = claims_of(examples, Kind.DENIED_SENTENCE)
    assert {claim.quote == FIRST for claim in claims} == {True, False}
    for claim in claims:
        assert claim.answer not in claim.quote
        undenied = [text.replace(" not", "").replace(" never", "") for text in (claim.answer, claim.quote)]
        assert undenied[0] in undenied[1]


def test_an_unsaid_sentence_is_not_in_its_quote(examples):
    for claim in claims_of(examples, Kind.UNSAID_SENTENCE):
        assert claim.answer in FIRST
        assert claim.answer not in claim.quote
