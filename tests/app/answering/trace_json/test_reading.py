"""What comes back from the JSON of a trace."""

import json
from dataclasses import replace

import pytest

from app.answering.trace_json.reading import candidates_of, fill_in, hits_of, readings_of
from app.answering.trace_json.writing import trace_as_json
from common.errors import LoccitError
from tests.app.answering.trace_json.toy_trace import (
    CANDIDATE,
    HIT,
    PASSAGE,
    READING,
    TRACE,
    TRACE_JSON,
    written,
)


def test_hits_readings_and_candidates_come_back_as_they_were():
    kept = json.loads(written(trace_as_json(TRACE)))
    assert hits_of(kept) == [HIT]
    assert readings_of(kept) == [READING]
    assert candidates_of(kept) == [CANDIDATE]


def test_what_an_earlier_version_did_not_write_is_filled_in():
    earlier = json.loads(written(trace_as_json(TRACE)))
    decision, [cited], [hit] = earlier["decision"], earlier["cited"], earlier["hits"]
    citations = [part["citations"][0] for part in (decision, *decision["alternatives"], cited)]
    candidates = [*earlier["candidates"], cited["candidate"]]
    del decision["short_answer"], decision["conflict"], decision["kind"], hit["url"], hit["source"]
    for citation in citations:
        del citation["further"], citation["source"]
    for candidate in candidates:
        del candidate["attempt"], candidate["opinion"], candidate["passage"]["source"]
    fill_in(earlier)
    assert decision["short_answer"] == decision["answer"]
    assert (decision["conflict"], decision["kind"]) == (None, "short")
    assert [(citation["further"], citation["source"]) for citation in citations] == [(False, None)] * 4
    unknown = replace(PASSAGE, url=None, source=None)
    assert candidates_of(earlier) == [replace(CANDIDATE, passage=unknown, opinion=None, attempt=None)]
    assert candidates[0] == candidates[1]


def test_what_is_whole_is_left_as_it_is():
    whole = json.loads(written(trace_as_json(TRACE)))
    fill_in(whole)
    assert written(whole) == written(TRACE_JSON)


def test_a_reading_of_short_answers_alone_says_nothing_more():
    trace = replace(TRACE, readings=(replace(READING, broad=None),))
    kept = json.loads(written(trace_as_json(trace)))
    assert "broad" not in kept["readings"][0]
    assert readings_of(kept) == [replace(READING, broad=None)]


def test_an_opinion_from_before_answers_were_judged_is_told_so():
    kept = json.loads(written(trace_as_json(TRACE)))
    del kept["candidates"][0]["opinion"]["right"]
    with pytest.raises(LoccitError, match="did not judge answers; predict it again"):
        candidates_of(kept)


def test_the_headings_of_a_passage_come_back_and_stand_nowhere_where_there_are_none():
    headed = replace(PASSAGE, headings=("Rise", "Fall"))
    (hit,) = TRACE.hits
    trace = trace_as_json(replace(TRACE, hits=(replace(hit, passage=headed),)))
    assert trace["hits"][0]["headings"] == ["Rise", "Fall"]
    assert [each.passage for each in hits_of(trace)] == [headed]
    assert "headings" not in trace_as_json(TRACE)["hits"][0]
