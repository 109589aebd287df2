"""The one way a trace becomes JSON: for HTTP responses and prediction files alike."""

from collections.abc import Mapping
from typing import Any

from app.answering.types import (
    Abstention,
    Candidate,
    CandidateSource,
    Citation,
    CitedAnswer,
    CitedCandidate,
    Decision,
    Opinion,
    Reading,
    ScoredSpan,
    Trace,
)
from common.errors import LoccitError
from retriever.types import Document, Hit, Passage, Span

SCHEMA = 1

Json = dict[str, Any]


def trace_as_json(trace: Trace) -> Json:
    """The whole trace; ``schema`` names the version of this form."""
    return {
        "schema": SCHEMA,
        "question": trace.question,
        "hits": [hit_as_json(hit) for hit in trace.hits],
        "readings": [_reading(reading) for reading in trace.readings],
        "candidates": [_recorded(candidate) for candidate in trace.candidates],
        "cited": [_cited(cited) for cited in trace.cited],
        "decision": decision_as_json(trace.decision),
        "timings_ms": timings_as_json(trace),
    }


def hit_as_json(hit: Hit) -> Json:
    """A hit with its passage's text and place."""
    return {
        **_place(hit.passage),
        "title": hit.passage.title,
        "text": hit.passage.text,
        "continuation": hit.passage.continuation,
        "score": hit.score,
        "rank": hit.rank,
    }


def candidate_as_json(candidate: Candidate) -> Json:
    """A candidate with the place of the passage it was generated from. It is unchecked."""
    return {
        "answer": candidate.answer,
        "source": candidate.source.value,
        "logprob": candidate.logprob,
        "tokens": candidate.tokens,
        "sample": candidate.sample,
        "pointer": None if candidate.pointer is None else _span(candidate.pointer),
        "opinion": None if candidate.opinion is None else _opinion(candidate.opinion),
        "passage": _place(candidate.passage),
    }


def citation_as_json(citation: Citation) -> Json:
    """A citation: ``start`` and ``end`` are characters of the stored document."""
    return {
        "quote": citation.quote,
        "document_id": citation.doc_id,
        "title": citation.title,
        "url": citation.url,
        **_span(citation.span),
        "support": citation.support,
        "further": citation.further,
        "document_sha256": citation.document_sha256,
        "locator": citation.locator,
        "before": citation.before,
        "after": citation.after,
    }


def document_as_json(document: Document) -> Json:
    """A stored document with the digest that citations of it carry."""
    return {
        "document_id": document.doc_id,
        "title": document.title,
        "text": document.text,
        "url": document.url,
        "metadata": dict(document.metadata),
        "sha256": document.sha256,
    }


def decision_as_json(decision: Decision) -> Json:
    """An answer with its citations and alternatives, or an abstention with its reason."""
    if isinstance(decision, Abstention):
        return {
            "answer": None,
            "short_answer": None,
            "abstained": True,
            "abstain_reason": decision.reason.value,
            "confidence": decision.confidence,
            "citations": [],
            "alternatives": [],
            "nearest": [citation_as_json(citation) for citation in decision.nearest],
        }
    return {
        "answer": decision.answer,
        "short_answer": decision.short_answer,
        "abstained": False,
        "abstain_reason": None,
        "confidence": decision.confidence,
        "citations": [citation_as_json(citation) for citation in decision.citations],
        "alternatives": _alternatives(decision),
        "nearest": [],
    }


def timings_as_json(trace: Trace) -> dict[str, float]:
    """Milliseconds by stage, and their sum as ``total``."""
    rounded = {stage: round(1000 * seconds, 2) for stage, seconds in trace.timings.items()}
    return {**rounded, "total": round(1000 * sum(trace.timings.values()), 2)}


def _alternatives(answer: CitedAnswer) -> list[Json]:
    return [
        {
            "answer": other.answer,
            "confidence": other.confidence,
            "citations": [citation_as_json(citation) for citation in other.citations],
        }
        for other in answer.alternatives
    ]


def _reading(reading: Reading) -> Json:
    return {
        "row": reading.hit.passage.row,
        "answerability": reading.answerability,
        "spans": [{**_span(scored.span), "score": scored.score} for scored in reading.spans],
    }


def _recorded(candidate: Candidate) -> Json:
    """As a response tells it, and the attempt: what a run with fewer of them would have had."""
    return {**candidate_as_json(candidate), "attempt": candidate.attempt}


def _cited(cited: CitedCandidate) -> Json:
    return {
        "candidate": _recorded(cited.candidate),
        "citations": [citation_as_json(citation) for citation in cited.citations],
        "confidence": cited.confidence,
    }


def _opinion(opinion: Opinion) -> Json:
    return {
        "logprob": opinion.logprob,
        "tokens": opinion.tokens,
        "right": opinion.right,
        "null": opinion.null,
        "pointer": None if opinion.pointer is None else _span(opinion.pointer),
        "pointed": opinion.pointed,
    }


def _place(passage: Passage) -> Json:
    return {"row": passage.row, "document_id": passage.doc_id, **_span(passage.span)}


def _span(span: Span) -> dict[str, int]:
    return {"start": span.start, "end": span.end}


def hits_of(trace: Json) -> list[Hit]:
    """The hits of a serialised trace, best first."""
    return [
        Hit(
            Passage(
                hit["row"], hit["document_id"], hit["title"], hit["text"], _span_of(hit), hit["continuation"]
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
            tuple(ScoredSpan(_span_of(span), span["score"]) for span in reading["spans"]),
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
        pointer=None if candidate["pointer"] is None else _span_of(candidate["pointer"]),
        sample=candidate["sample"],
        opinion=None if candidate.get("opinion") is None else _opinion_of(candidate["opinion"]),
        attempt=candidate.get("attempt"),
    )


def _opinion_of(recorded: Json) -> Opinion:
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
        pointer=None if pointer is None else _span_of(pointer),
        pointed=recorded["pointed"],
    )


def _span_of(place: Mapping[str, Any]) -> Span:
    return Span(place["start"], place["end"])
