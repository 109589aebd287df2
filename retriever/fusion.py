"""One ranking out of several."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from retriever.types import ScoredRow

RANK_CONSTANT = 60


def best_first(rows: Iterable[ScoredRow]) -> list[ScoredRow]:
    """Sorted by score, highest first; equal scores by row, lowest first."""
    return sorted(rows, key=lambda scored: (-scored.score, scored.row))


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[ScoredRow]], *, constant: int = RANK_CONSTANT
) -> list[ScoredRow]:
    """The rankings as one: a row scores the sum over rankings of ``1 / (constant + rank)``.

    Cormack, Clarke and Büttcher, SIGIR 2009; ``constant`` is their k = 60.
    """
    fused: dict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, scored in enumerate(ranking, start=1):
            fused[scored.row] += 1.0 / (constant + rank)
    return best_first(ScoredRow(row, score) for row, score in fused.items())


def top_k(search: Callable[[int], list[ScoredRow]], *, k: int) -> list[ScoredRow]:
    """The best k of an engine's results, where rows that tie at the cut are chosen by row.

    Engines break ties as they please, so the cut is moved outwards until no tie crosses it.
    """
    limit = k + 1
    while True:
        found = search(limit)
        if len(found) < limit or found[k - 1].score != found[-1].score:
            return best_first(found)[:k]
        limit *= 2
