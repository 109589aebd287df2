"""What a trace keeps of a candidate comes back as it was."""

import json

import pytest

from app.answering.trace_json import candidate_as_json, candidate_of
from app.answering.types import Candidate, CandidateSource, Opinion
from common.errors import LoccitError
from retriever.types import Passage, Span

PASSAGE = Passage(7, "tower", "Tower", "It rose in 1698.", Span(100, 116), "")
OPINION = Opinion(logprob=-2.5, tokens=3, right=0.7, null=0.2, pointer=Span(111, 115), pointed=0.6)
CANDIDATE = Candidate("1698", PASSAGE, CandidateSource.READER, -0.5, 1, Span(111, 115), opinion=OPINION)


def test_a_candidate_comes_back_with_its_opinion():
    kept = json.loads(json.dumps(candidate_as_json(CANDIDATE)))
    assert candidate_of(kept, {7: PASSAGE}) == CANDIDATE
    assert (kept["opinion"]["right"], kept["opinion"]["null"]) == (0.7, 0.2)


def test_an_opinion_from_before_answers_were_judged_is_told_so():
    kept = candidate_as_json(CANDIDATE)
    del kept["opinion"]["right"]
    with pytest.raises(LoccitError, match="did not judge answers; predict it again"):
        candidate_of(kept, {7: PASSAGE})
