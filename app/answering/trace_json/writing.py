"""The one way that each part of an answer becomes JSON."""

from collections.abc import Sequence

from app.answering import types
from app.answering.trace_json.shapes import (
    Alternative,
    Candidate,
    Citation,
    CitedCandidate,
    Decision,
    Document,
    Hit,
    Opinion,
    PassagePlace,
    Place,
    Reading,
    RecordedCandidate,
    ScoredPlace,
    Trace,
)
from retriever import types as retrieval
from retriever.types import Span

SCHEMA = 1


def trace_as_json(trace: types.Trace) -> Trace:
    """The whole trace."""
    return {
        "schema": SCHEMA,
        "question": trace.question,
        "hits": [hit_as_json(hit) for hit in trace.hits],
        "readings": [reading_as_json(reading) for reading in trace.readings],
        "candidates": [_recorded(candidate) for candidate in trace.candidates],
        "cited": [cited_as_json(cited) for cited in trace.cited],
        "decision": decision_as_json(trace.decision),
        "timings_ms": timings_as_json(trace),
    }


def hit_as_json(hit: retrieval.Hit) -> Hit:
    """A hit with its passage's text and place."""
    place = _passage_place(hit.passage)
    shown: Hit = {
        "row": place["row"],
        "document_id": place["document_id"],
        "source": place["source"],
        "start": place["start"],
        "end": place["end"],
        "title": hit.passage.title,
        "url": hit.passage.url,
        "text": hit.passage.text,
        "continuation": hit.passage.continuation,
        "score": hit.score,
        "rank": hit.rank,
    }
    if hit.passage.headings:
        shown["headings"] = list(hit.passage.headings)
    return shown


def candidate_as_json(candidate: types.Candidate) -> Candidate:
    """A candidate with the place of the passage it was generated from. It is unchecked."""
    return {
        "answer": candidate.answer,
        "source": candidate.source,
        "logprob": candidate.logprob,
        "tokens": candidate.tokens,
        "sample": candidate.sample,
        "pointer": None if candidate.pointer is None else place_as_json(candidate.pointer),
        "opinion": None if candidate.opinion is None else _opinion(candidate.opinion),
        "passage": _passage_place(candidate.passage),
    }


def citation_as_json(citation: types.Citation) -> Citation:
    """A citation: ``start`` and ``end`` are characters of the stored document."""
    return {
        "quote": citation.quote,
        "document_id": citation.doc_id,
        "title": citation.title,
        "url": citation.url,
        "source": citation.source,
        **place_as_json(citation.span),
        "support": citation.support,
        "further": citation.further,
        "document_sha256": citation.document_sha256,
        "locator": None if citation.locator is None else str(citation.locator),
        "before": citation.before,
        "after": citation.after,
    }


def document_as_json(document: retrieval.Document) -> Document:
    """A stored document with its digest."""
    return {
        "document_id": document.doc_id,
        "title": document.title,
        "text": document.text,
        "url": document.url,
        "source": document.source,
        "metadata": dict(document.metadata),
        "sha256": document.sha256,
    }


def decision_as_json(decision: types.Decision) -> Decision:
    """An answer with its citations and alternatives, or an abstention with its reason."""
    if isinstance(decision, types.Abstention):
        return {
            "answer": None,
            "short_answer": None,
            "abstained": True,
            "abstain_reason": decision.reason,
            "kind": decision.kind,
            "confidence": decision.confidence,
            "citations": [],
            "alternatives": [],
            "conflict": None,
            "nearest": [citation_as_json(citation) for citation in decision.nearest],
        }
    return {
        "answer": decision.answer,
        "short_answer": decision.short_answer,
        "abstained": False,
        "abstain_reason": None,
        "kind": decision.kind,
        "confidence": decision.confidence,
        "citations": [citation_as_json(citation) for citation in decision.citations],
        "alternatives": [_alternative(other) for other in decision.alternatives],
        "conflict": None if decision.conflict is None else _alternative(decision.conflict),
        "nearest": [],
    }


def timings_as_json(trace: types.Trace) -> dict[str, float]:
    """Milliseconds by stage, and their sum as ``total``."""
    rounded = {stage: round(1000 * seconds, 2) for stage, seconds in trace.timings.items()}
    return {**rounded, "total": round(1000 * sum(trace.timings.values()), 2)}


def _alternative(other: types.Alternative) -> Alternative:
    return {
        "answer": other.answer,
        "confidence": other.confidence,
        "citations": [citation_as_json(citation) for citation in other.citations],
    }


def reading_as_json(reading: types.Reading) -> Reading:
    """What the reader made of a hit, which is named by its row."""
    shown: Reading = {
        "row": reading.hit.passage.row,
        "answerability": reading.answerability,
        "spans": _scored(reading.spans),
    }
    if reading.broad is not None:
        broad = reading.broad
        shown["broad"] = {
            "kinds": dict(broad.kinds),
            "yes": broad.yes,
            "evidence": _scored(broad.evidence),
        }
    return shown


def _scored(spans: Sequence[types.ScoredSpan]) -> list[ScoredPlace]:
    return [{**place_as_json(scored.span), "score": scored.score} for scored in spans]


def _recorded(candidate: types.Candidate) -> RecordedCandidate:
    return {**candidate_as_json(candidate), "attempt": candidate.attempt}


def cited_as_json(cited: types.CitedCandidate) -> CitedCandidate:
    """A candidate with its citations and the confidence."""
    return {
        "candidate": _recorded(cited.candidate),
        "citations": [citation_as_json(citation) for citation in cited.citations],
        "confidence": cited.confidence,
    }


def _opinion(opinion: types.Opinion) -> Opinion:
    return {
        "logprob": opinion.logprob,
        "tokens": opinion.tokens,
        "right": opinion.right,
        "null": opinion.null,
        "pointer": None if opinion.pointer is None else place_as_json(opinion.pointer),
        "pointed": opinion.pointed,
    }


def _passage_place(passage: retrieval.Passage) -> PassagePlace:
    return {
        "row": passage.row,
        "document_id": passage.doc_id,
        "source": passage.source,
        **place_as_json(passage.span),
    }


def place_as_json(span: Span) -> Place:
    """The characters of a document that a span is."""
    return {"start": span.start, "end": span.end}
