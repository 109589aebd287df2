"""Every event with its name, and what its stage found."""

import pytest

from app.answering import events
from app.answering.trace_json.events import Event, event_as_json
from tests.app.answering.trace_json.toy_trace import (
    ANSWER,
    CANDIDATE,
    CANDIDATE_JSON,
    CITED,
    CITED_JSON,
    DECISION_JSON,
    HIT,
    HIT_JSON,
    QUOTE,
    READING,
    READING_JSON,
    TRACE,
    TRACE_JSON,
    written,
)


@pytest.mark.parametrize(
    ("event", "form"),
    [
        (events.Retrieved((HIT,)), {"event": "retrieved", "hits": [HIT_JSON]}),
        (events.Read((READING,)), {"event": "read", "readings": [READING_JSON]}),
        (events.Generated((CANDIDATE,)), {"event": "generated", "candidates": [CANDIDATE_JSON]}),
        (
            events.Located(((CANDIDATE, (QUOTE,)),)),
            {
                "event": "located",
                "quoted": [
                    {
                        "candidate": CANDIDATE_JSON,
                        "quotes": [
                            {
                                "start": 6,
                                "end": 22,
                                "document_id": "tower",
                                "quote": "It rose in 1698.",
                            }
                        ],
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


def test_every_event_is_among_those_that_the_json_knows():
    named = {event.__name__ for event in Event.__args__}
    assert named == {event.__name__ for event in events.Event.__args__}
