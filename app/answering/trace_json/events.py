"""The JSON of what happens while a question is answered: an event's name, and what its stage found."""

from collections.abc import Sequence
from typing import Literal, assert_never

from typing_extensions import TypedDict  # pydantic asks for it below Python 3.12

from app.answering import events, types
from app.answering.trace_json.shapes import Candidate, CitedCandidate, Decision, Hit, Place, Reading, Trace
from app.answering.trace_json.writing import (
    candidate_as_json,
    cited_as_json,
    decision_as_json,
    hit_as_json,
    place_as_json,
    reading_as_json,
    trace_as_json,
)


class Quote(Place):
    """Characters of a document that were located there and are not scored yet."""

    document_id: str
    quote: str


class QuotedCandidate(TypedDict):
    """A candidate with the quotes that were located for it."""

    candidate: Candidate
    quotes: list[Quote]


class Retrieved(TypedDict):
    """The hits are in."""

    event: Literal["retrieved"]
    hits: list[Hit]


class Read(TypedDict):
    """The hits have been read."""

    event: Literal["read"]
    readings: list[Reading]


class Generated(TypedDict):
    """The candidates are written, none checked yet."""

    event: Literal["generated"]
    candidates: list[Candidate]


class Located(TypedDict):
    """The candidates whose quotes were found in their documents."""

    event: Literal["located"]
    quoted: list[QuotedCandidate]


class Supported(TypedDict):
    """The quotes are scored."""

    event: Literal["supported"]
    cited: list[CitedCandidate]


class Composed(TypedDict):
    """What was decided where a long answer was asked for: one in several sentences, or an abstention."""

    event: Literal["composed"]
    decision: Decision


class Decided(TypedDict):
    """The end: everything that happened, the decision included."""

    event: Literal["decided"]
    trace: Trace


Event = Retrieved | Read | Generated | Located | Supported | Composed | Decided
"""``event`` tells them apart."""


def event_as_json(event: events.Event) -> Event:
    """An event with its name."""
    match event:
        case events.Retrieved(hits):
            return {"event": "retrieved", "hits": [hit_as_json(hit) for hit in hits]}
        case events.Read(readings):
            return {"event": "read", "readings": [reading_as_json(reading) for reading in readings]}
        case events.Generated(candidates):
            return {"event": "generated", "candidates": [candidate_as_json(each) for each in candidates]}
        case events.Located(quoted):
            return {"event": "located", "quoted": [_quoted(*pair) for pair in quoted]}
        case events.Supported(cited):
            return {"event": "supported", "cited": [cited_as_json(candidate) for candidate in cited]}
        case events.Composed(decision):
            return {"event": "composed", "decision": decision_as_json(decision)}
        case events.Decided(trace):
            return {"event": "decided", "trace": trace_as_json(trace)}
        case _:
            assert_never(event)


def _quoted(candidate: types.Candidate, quotes: Sequence[types.Quote]) -> QuotedCandidate:
    return {
        "candidate": candidate_as_json(candidate),
        "quotes": [
            {**place_as_json(quote.span), "document_id": quote.document.doc_id, "quote": quote.text}
            for quote in quotes
        ],
    }
