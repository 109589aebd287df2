"""The JSON of answering, value by value, and what comes back from it."""

import json
from dataclasses import fields, replace

import pytest

from app.answering import events, trace_json
from app.answering.answer_kind import AnswerKind
from app.answering.trace_json import (
    candidates_of,
    event_as_json,
    fill_in,
    hits_of,
    readings_of,
    trace_as_json,
)
from app.answering.types import (
    AbstainReason,
    Abstention,
    Alternative,
    BroadReading,
    Candidate,
    CandidateSource,
    Citation,
    CitedAnswer,
    CitedCandidate,
    Opinion,
    Quote,
    Reading,
    ScoredSpan,
    Trace,
)
from common.errors import LoccitError
from retriever import types as retrieval
from retriever.types import Document, Hit, Locator, Passage, Span

DOCUMENT = Document(
    "tower", "Tower", "Here. It rose in 1698. It fell.", "https://t.org", {"kind": "tower"}, source="notes"
)
PASSAGE = Passage(
    7, "tower", "Tower", "It rose in 1698.", Span(6, 22), " It fell.", url="https://t.org", source="notes"
)
HIT = Hit(PASSAGE, 0.75, 1)
KINDS = dict(zip(AnswerKind, (0.4, 0.3, 0.2, 0.1), strict=True))
BROAD = BroadReading(KINDS, 0.7, (ScoredSpan(Span(17, 21), 0.9),))
READING = Reading(HIT, 0.5, (ScoredSpan(Span(17, 21), 0.25),), BROAD)
OPINION = Opinion(logprob=-2.5, tokens=3, right=0.7, null=0.2, pointer=Span(17, 21), pointed=0.6)
CANDIDATE = Candidate(
    "1698", PASSAGE, CandidateSource.READER, -0.5, 1, Span(17, 21), sample=2, opinion=OPINION, attempt=4
)
QUOTE = Quote(DOCUMENT, Span(6, 22))
CITATION = replace(
    Citation.of(QUOTE, support=0.9, further=True), locator=Locator.page(3), document_text=DOCUMENT.text
)
CITED = CitedCandidate(CANDIDATE, (CITATION,), 0.8)
OTHERS = (Alternative("1699", (CITATION,), 0.1), Alternative("1700", (CITATION,), 0.05))
ANSWER = CitedAnswer("It rose in 1698.", "1698", (CITATION,), 0.8, PASSAGE, OTHERS, OTHERS[1])
TRACE = Trace("when?", (HIT,), (READING,), (CANDIDATE,), (CITED,), ANSWER, {"read": 0.01, "cite": 0.002})

PLACE_JSON = {"start": 17, "end": 21}
PASSAGE_JSON = {"row": 7, "document_id": "tower", "source": "notes", "start": 6, "end": 22}
HIT_JSON = {
    **PASSAGE_JSON,
    "title": "Tower",
    "url": "https://t.org",
    "text": "It rose in 1698.",
    "continuation": " It fell.",
    "score": 0.75,
    "rank": 1,
}
READING_JSON = {
    "row": 7,
    "answerability": 0.5,
    "spans": [{**PLACE_JSON, "score": 0.25}],
    "broad": {
        "kinds": {"short": 0.4, "list": 0.3, "yes/no": 0.2, "explanation": 0.1},
        "yes": 0.7,
        "evidence": [{**PLACE_JSON, "score": 0.9}],
    },
}
CANDIDATE_JSON = {
    "answer": "1698",
    "source": "reader",
    "logprob": -0.5,
    "tokens": 1,
    "sample": 2,
    "pointer": PLACE_JSON,
    "opinion": {
        "logprob": -2.5,
        "tokens": 3,
        "right": 0.7,
        "null": 0.2,
        "pointer": PLACE_JSON,
        "pointed": 0.6,
    },
    "passage": PASSAGE_JSON,
}
CITATION_JSON = {
    "quote": "It rose in 1698.",
    "document_id": "tower",
    "title": "Tower",
    "url": "https://t.org",
    "source": "notes",
    "start": 6,
    "end": 22,
    "support": 0.9,
    "further": True,
    "document_sha256": DOCUMENT.sha256,
    "locator": "page 3",
    "before": "Here. ",
    "after": " It fell.",
}
CITED_JSON = {
    "candidate": {**CANDIDATE_JSON, "attempt": 4},
    "citations": [CITATION_JSON],
    "confidence": 0.8,
}
OTHERS_JSON = [
    {"answer": "1699", "confidence": 0.1, "citations": [CITATION_JSON]},
    {"answer": "1700", "confidence": 0.05, "citations": [CITATION_JSON]},
]
DECISION_JSON = {
    "answer": "It rose in 1698.",
    "short_answer": "1698",
    "abstained": False,
    "abstain_reason": None,
    "kind": "short",
    "confidence": 0.8,
    "citations": [CITATION_JSON],
    "alternatives": OTHERS_JSON,
    "conflict": OTHERS_JSON[1],
    "nearest": [],
}
TRACE_JSON = {
    "schema": 1,
    "question": "when?",
    "hits": [HIT_JSON],
    "readings": [READING_JSON],
    "candidates": [{**CANDIDATE_JSON, "attempt": 4}],
    "cited": [CITED_JSON],
    "decision": DECISION_JSON,
    "timings_ms": {"read": 10.0, "cite": 2.0, "total": 12.0},
}


def written(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def test_a_trace_is_written_to_the_last_byte_as_it_always_was():
    assert written(trace_as_json(TRACE)) == written(TRACE_JSON)


def test_an_abstention_has_the_same_keys_as_an_answer():
    abstention = Abstention(AbstainReason.LOW_CONFIDENCE, 0.3, (CITATION,))
    assert written(trace_as_json(replace(TRACE, decision=abstention))["decision"]) == written(
        {
            "answer": None,
            "short_answer": None,
            "abstained": True,
            "abstain_reason": "low_confidence",
            "kind": "short",
            "confidence": 0.3,
            "citations": [],
            "alternatives": [],
            "conflict": None,
            "nearest": [CITATION_JSON],
        }
    )


@pytest.mark.parametrize(
    ("event", "form"),
    [
        (events.Retrieved((HIT,)), {"event": "retrieved", "hits": [HIT_JSON]}),
        (events.Read((READING,)), {"event": "read", "readings": [READING_JSON]}),
        (events.Generated((CANDIDATE,)), {"event": "generated", "candidates": [CANDIDATE_JSON]}),
        (
            events.Located(((CANDIDATE, QUOTE),)),
            {
                "event": "located",
                "quoted": [
                    {
                        "candidate": CANDIDATE_JSON,
                        "quote": {
                            "start": 6,
                            "end": 22,
                            "document_id": "tower",
                            "quote": "It rose in 1698.",
                        },
                    }
                ],
            },
        ),
        (events.Supported((CITED,)), {"event": "supported", "cited": [CITED_JSON]}),
        (events.Composed(ANSWER), {"event": "composed", "decision": DECISION_JSON}),
        (events.Decided(TRACE), {"event": "decided", "trace": TRACE_JSON}),
    ],
    ids=lambda value: value["event"] if isinstance(value, dict) else "",
)
def test_every_event_has_a_name_and_what_its_stage_found(event, form):
    assert written(event_as_json(event)) == written(form)


def test_hits_readings_and_candidates_come_back_as_they_were():
    kept = json.loads(written(trace_as_json(TRACE)))
    assert hits_of(kept) == [HIT]
    assert readings_of(kept) == [READING]
    assert candidates_of(kept) == [CANDIDATE]


SPAN = {"start", "end"}


@pytest.mark.parametrize(
    ("inner", "form", "elsewhere"),
    [
        (retrieval.Document, trace_json.Document, {"doc_id": {"document_id"}, "blocks": set()}),
        (
            Passage,
            trace_json.Hit,
            {"doc_id": {"document_id"}, "span": SPAN, "headings": set()},  # written where there are some
        ),
        (Hit, trace_json.Hit, {"passage": {"row", "title", "url", "source", "text", "continuation", *SPAN}}),
        (ScoredSpan, trace_json.ScoredPlace, {"span": SPAN}),
        (Reading, trace_json.Reading, {"hit": {"row"}, "broad": set()}),  # written where there is some
        (BroadReading, trace_json.BroadReading, {}),
        (Opinion, trace_json.Opinion, {}),
        (Candidate, trace_json.RecordedCandidate, {}),
        (Citation, trace_json.Citation, {"doc_id": {"document_id"}, "span": SPAN}),
        (CitedCandidate, trace_json.CitedCandidate, {}),
        (Alternative, trace_json.Alternative, {}),
        (Trace, trace_json.Trace, {"timings": {"timings_ms"}, "cut_short": set(), "documents": set()}),
        (CitedAnswer, trace_json.Decision, {"passage": set()}),
        (Abstention, trace_json.Decision, {"reason": {"abstain_reason"}}),
        *((event, getattr(trace_json, event.__name__), {}) for event in events.Event.__args__),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_field_of_an_inner_type_has_its_key(inner, form, elsewhere):
    for field in fields(inner):
        assert elsewhere.get(field.name, {field.name}) <= form.__required_keys__, field.name


def test_every_event_is_among_those_that_the_json_knows():
    named = {event.__name__ for event in trace_json.Event.__args__}
    assert named == {event.__name__ for event in events.Event.__args__}


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
