"""One ranking out of two."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from retriever.types import ScoredRow

DENSE_WEIGHT = 0.9


def best_first(rows: Iterable[ScoredRow]) -> list[ScoredRow]:
    """Sorted by score, highest first; equal scores by row, lowest first."""
    return sorted(rows, key=lambda scored: (-scored.score, scored.row))


def convex_combination(
    cosines: Mapping[int, float], lexical: Sequence[ScoredRow], *, dense_weight: float = DENSE_WEIGHT
) -> list[ScoredRow]:
    """The two searches as one ranking: ``dense_weight`` x cosine + the rest x BM25 as a share of the best one's.

    A convex combination of scores (Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid
    Retrieval"). ``cosines``: of every row that either search found. A row that ``lexical`` lacks counts as BM25 0.
    """
    best = max((score for _, score in lexical), default=0.0)
    shares = {row: score / best for row, score in lexical if best > 0}
    return best_first(
        ScoredRow(row, dense_weight * cosine + (1 - dense_weight) * shares.get(row, 0.0))
        for row, cosine in cosines.items()
    )


def top_k(search: Callable[[int], list[ScoredRow]], *, k: int) -> list[ScoredRow]:
    """The best k of an engine's results, where rows that tie at the cut are chosen by row.

    Engines break ties as they please, so the cut is moved outwards until no tie crosses it.
    """
    limit = k + 1
    while True:
        ranked = search(limit)
        if len(ranked) < limit or ranked[k - 1].score != ranked[-1].score:
            return best_first(ranked)[:k]
        limit *= 2
