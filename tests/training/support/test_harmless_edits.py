"""Edits that do no harm leave the answer in the quote."""

from dataclasses import replace

import pytest

from tests.training.support.toy_claims import ASKED, BUILDER, FIRST, PLAIN, claims_of, examples_of
from training.support.kinds import Kind


@pytest.mark.parametrize("record", [ASKED, BUILDER])
def test_a_harmless_edit_leaves_the_answer_in_the_quote(record):
    edited = examples_of(replace(PLAIN, edited=1.0, whole=0.5, wider=0.5))
    claims = claims_of(edited, Kind.TRUE, record)
    assert len({claim.quote for claim in claims}) > 5
    assert len({claim.answer for claim in claims}) > 1
    assert all(claim.answer in claim.quote for claim in claims)
    sentences = claims_of(edited, Kind.TRUE_SENTENCE, record)
    assert any(claim.quote != FIRST for claim in sentences)
    assert all(claim.answer in claim.quote for claim in sentences)
