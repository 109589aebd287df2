"""The JSON of answering, value by value."""

from dataclasses import fields, replace

import pytest

from app.answering import events
from app.answering.trace_json import events as event_shapes
from app.answering.trace_json import shapes
from app.answering.trace_json.writing import trace_as_json
from app.answering.types import (
    AbstainReason,
    Abstention,
    Alternative,
    BroadReading,
    Candidate,
    Citation,
    CitedAnswer,
    CitedCandidate,
    Opinion,
    Reading,
    ScoredSpan,
    Trace,
)
from retriever import types as retrieval
from retriever.types import Hit, Passage
from tests.app.answering.trace_json.toy_trace import CITATION, CITATION_JSON, TRACE, TRACE_JSON, written


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


SPAN = {"start", "end"}


@pytest.mark.parametrize(
    ("inner", "form", "elsewhere"),
    [
        (retrieval.Document, shapes.Document, {"doc_id": {"document_id"}, "blocks": set()}),
        (
            Passage,
            shapes.Hit,
            {"doc_id": {"document_id"}, "span": SPAN, "headings": set()},  # written where there are some
        ),
        (Hit, shapes.Hit, {"passage": {"row", "title", "url", "source", "text", "continuation", *SPAN}}),
        (ScoredSpan, shapes.ScoredPlace, {"span": SPAN}),
        (Reading, shapes.Reading, {"hit": {"row"}, "broad": set()}),  # written where there is some
        (BroadReading, shapes.BroadReading, {}),
        (Opinion, shapes.Opinion, {}),
        (Candidate, shapes.RecordedCandidate, {}),
        (Citation, shapes.Citation, {"doc_id": {"document_id"}, "span": SPAN}),
        (CitedCandidate, shapes.CitedCandidate, {}),
        (Alternative, shapes.Alternative, {}),
        (Trace, shapes.Trace, {"timings": {"timings_ms"}, "cut_short": set(), "documents": set()}),
        (CitedAnswer, shapes.Decision, {"passage": set()}),
        (Abstention, shapes.Decision, {"reason": {"abstain_reason"}}),
        *((event, getattr(event_shapes, event.__name__), {}) for event in events.Event.__args__),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_field_of_an_inner_type_has_its_key(inner, form, elsewhere):
    for field in fields(inner):
        assert elsewhere.get(field.name, {field.name}) <= form.__required_keys__, field.name
