"""The first stages of a trace out of its JSON, for whoever goes on from there: the inverse of ``serialise``."""

from collections.abc import Mapping
from typing import Any

from app.answering.types import Candidate, CandidateSource, Opinion, Reading, ScoredSpan
from retriever.errors import LoccitError
from retriever.types import Hit, Passage, Span

Json = dict[str, Any]


def hits_of(trace: Json) -> list[Hit]:
    """The hits of a serialised trace, best first."""
    return [
        Hit(
            Passage(
                hit["row"], hit["document_id"], hit["title"], hit["text"], _span(hit), hit["continuation"]
            ),
            hit["score"],
            hit["rank"],
        )
        for hit in trace["hits"]
    ]


def readings_of(trace: Json) -> list[Reading]:
    """The readings of a serialised trace, in their order."""
    hits = {hit.passage.row: hit for hit in hits_of(trace)}
    return [
        Reading(
            hits[reading["row"]],
            reading["answerability"],
            tuple(ScoredSpan(_span(span), span["score"]) for span in reading["spans"]),
        )
        for reading in trace["readings"]
    ]


def candidates_of(trace: Json) -> list[Candidate]:
    """The candidates of a serialised trace, in their order."""
    passages = {hit.passage.row: hit.passage for hit in hits_of(trace)}
    return [candidate_of(candidate, passages) for candidate in trace["candidates"]]


def candidate_of(candidate: Json, passages: Mapping[int, Passage]) -> Candidate:
    """A serialised candidate. ``passages``: those of its trace, by row."""
    return Candidate(
        answer=candidate["answer"],
        passage=passages[candidate["passage"]["row"]],
        source=CandidateSource(candidate["source"]),
        logprob=candidate["logprob"],
        tokens=candidate["tokens"],
        pointer=None if candidate["pointer"] is None else _span(candidate["pointer"]),
        sample=candidate["sample"],
        opinion=None if candidate.get("opinion") is None else _opinion(candidate["opinion"]),
        attempt=candidate.get("attempt"),
    )


def _opinion(recorded: Json) -> Opinion:
    pointer = recorded["pointer"]
    if "right" not in recorded:
        raise LoccitError(
            "The run is of a version whose language model did not judge answers; predict it again."
        )
    return Opinion(
        logprob=recorded["logprob"],
        tokens=recorded["tokens"],
        right=recorded["right"],
        null=recorded["null"],
        pointer=None if pointer is None else _span(pointer),
        pointed=recorded["pointed"],
    )


def _span(place: Mapping[str, Any]) -> Span:
    return Span(place["start"], place["end"])
