"""From the JSON of a trace back to what it is the JSON of."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.answering import types
from app.answering.answer_kind import AnswerKind
from app.answering.trace_json.shapes import (
    BroadReading,
    Opinion,
    Place,
    RecordedCandidate,
    ScoredPlace,
    Trace,
)
from app.answering.types import CandidateSource
from common.errors import LoccitError
from retriever import types as retrieval
from retriever.types import Span


def hits_of(trace: Trace) -> list[retrieval.Hit]:
    """The hits of a trace's JSON, best first."""
    return [
        retrieval.Hit(
            retrieval.Passage(
                row=hit["row"],
                doc_id=hit["document_id"],
                title=hit["title"],
                text=hit["text"],
                span=Span(hit["start"], hit["end"]),
                continuation=hit["continuation"],
                headings=tuple(hit.get("headings", ())),
                url=hit["url"],
                source=hit["source"],
            ),
            score=hit["score"],
            rank=hit["rank"],
        )
        for hit in trace["hits"]
    ]


def readings_of(trace: Trace) -> list[types.Reading]:
    """The readings of a trace's JSON, in their order."""
    hits = {hit.passage.row: hit for hit in hits_of(trace)}
    return [
        types.Reading(
            hits[reading["row"]],
            reading["answerability"],
            _scored_of(reading["spans"]),
            _broad_of(reading["broad"]) if "broad" in reading else None,
        )
        for reading in trace["readings"]
    ]


def _broad_of(broad: BroadReading) -> types.BroadReading:
    kinds = {AnswerKind(kind): probability for kind, probability in broad["kinds"].items()}
    return types.BroadReading(kinds, broad["yes"], _scored_of(broad["evidence"]))


def _scored_of(places: Sequence[ScoredPlace]) -> tuple[types.ScoredSpan, ...]:
    return tuple(types.ScoredSpan(_span_of(place), place["score"]) for place in places)


def candidates_of(trace: Trace) -> list[types.Candidate]:
    """The candidates of a trace's JSON, in their order."""
    passages = {hit.passage.row: hit.passage for hit in hits_of(trace)}
    return [candidate_of(candidate, passages) for candidate in trace["candidates"]]


def candidate_of(candidate: RecordedCandidate, passages: Mapping[int, retrieval.Passage]) -> types.Candidate:
    """The candidate that this is the JSON of. ``passages``: those of its trace, by row."""
    pointer, opinion = candidate["pointer"], candidate["opinion"]
    return types.Candidate(
        answer=candidate["answer"],
        passage=passages[candidate["passage"]["row"]],
        source=CandidateSource(candidate["source"]),
        logprob=candidate["logprob"],
        tokens=candidate["tokens"],
        pointer=None if pointer is None else _span_of(pointer),
        sample=candidate["sample"],
        opinion=None if opinion is None else _opinion_of(opinion),
        attempt=candidate["attempt"],
    )


def fill_in(trace: dict[str, Any]) -> None:
    """Give a trace that an earlier version wrote what it lacks, so that it is a ``Trace``.

    One thing cannot be filled in: an opinion that does not say whether the answer is right is refused where it is
    read (see ``candidates_of``).
    """
    decision = trace["decision"]
    decision.setdefault("short_answer", decision["answer"])
    decision.setdefault("conflict", None)
    decision.setdefault("kind", AnswerKind.SHORT)
    citing = [decision, *decision["alternatives"], *trace["cited"]]
    for citation in [*decision["nearest"], *(each for part in citing for each in part["citations"])]:
        citation.setdefault("further", False)
        citation.setdefault("source", None)
    for hit in trace["hits"]:
        hit.setdefault("url", None)
        hit.setdefault("source", None)
    for candidate in [*trace["candidates"], *(cited["candidate"] for cited in trace["cited"])]:
        candidate["passage"].setdefault("source", None)
        candidate.setdefault("opinion", None)
        candidate.setdefault("attempt", None)


def _opinion_of(opinion: Opinion) -> types.Opinion:
    pointer = opinion["pointer"]
    if "right" not in opinion:
        raise LoccitError(
            "The run is of a version whose language model did not judge answers; predict it again."
        )
    return types.Opinion(
        logprob=opinion["logprob"],
        tokens=opinion["tokens"],
        right=opinion["right"],
        null=opinion["null"],
        pointer=None if pointer is None else _span_of(pointer),
        pointed=opinion["pointed"],
    )


def _span_of(place: Place) -> Span:
    return Span(place["start"], place["end"])
