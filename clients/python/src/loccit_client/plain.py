"""Answers as plain data: what the adapters put into the metadata of their frameworks. All of it can be JSON."""

from dataclasses import asdict
from typing import Any

from loccit_client.models import Alternative, Answer, Citation, Hit

Plain = dict[str, Any]


def citation_as_plain(citation: Citation) -> Plain:
    """A citation: its quote, where that stands, and the text around it."""
    return asdict(citation)


def hit_as_plain(hit: Hit) -> Plain:
    """A passage that was found, without its text and what follows it."""
    told = asdict(hit)
    del told["text"], told["continuation"]
    return {**told, "headings": list(hit.headings)}


def state_as_plain(answer: Answer) -> Plain:
    """Whether the service abstained and why, and how sure it is."""
    return {
        "abstained": answer.abstained,
        "abstain_reason": answer.abstain_reason,
        "confidence": answer.confidence,
        "confidence_is_a_probability": answer.calibration is not None and answer.calibration.applies,
    }


def cited_as_plain(citation: Citation, answer: Answer) -> Plain:
    """A citation with the state of the answer that it backs, for frameworks that pass on each one alone."""
    return {**citation_as_plain(citation), **state_as_plain(answer), "answer": answer.answer}


def answer_as_plain(answer: Answer) -> Plain:
    """An answer with its citations, or an abstention with its reason and the nearest quotes."""
    return {
        "question": answer.question,
        "answer": answer.answer,
        "short_answer": answer.short_answer,
        "kind": answer.kind,
        **state_as_plain(answer),
        "citations": [citation_as_plain(citation) for citation in answer.citations],
        "nearest": [citation_as_plain(citation) for citation in answer.nearest],
        "conflict": None if answer.conflict is None else _alternative(answer.conflict),
        "attribution": [asdict(terms) for terms in answer.attribution],
        "generation": answer.generation,
        "request_id": answer.request_id,
    }


def _alternative(other: Alternative) -> Plain:
    return {
        "answer": other.answer,
        "confidence": other.confidence,
        "citations": [citation_as_plain(citation) for citation in other.citations],
    }
