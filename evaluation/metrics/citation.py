"""How well the places that an answer cites agree with those that annotators marked.

Precision and recall of citations are ALCE's (Gao et al. 2023), by overlap: there a model judges entailment.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from retriever.types import Span

LEAST_COVERED = 0.5


@dataclass(frozen=True, slots=True)
class Place:
    """Characters of a document."""

    doc_id: str
    span: Span


def citation_precision(cited: Sequence[Place], marked: Sequence[Place]) -> float:
    """0-1, higher is better: the share of citations that overlap a marked place; 0 of nothing."""
    right = [any(_shared(one, other) for other in marked) for one in cited]
    return sum(right) / len(right) if right else 0.0


def citation_recall(cited: Sequence[Place], marked: Sequence[Place]) -> float:
    """0-1, higher is better: the share of marked places with half of their characters or more cited; 0 of nothing."""
    covered = [
        len(set().union(*(_shared(one, place) for one in cited))) >= LEAST_COVERED * len(place.span)
        for place in marked
    ]
    return sum(covered) / len(covered) if covered else 0.0


def _shared(one: Place, other: Place) -> range:
    """The characters that both cover."""
    if one.doc_id != other.doc_id:
        return range(0)
    return range(max(one.span.start, other.span.start), min(one.span.end, other.span.end))
