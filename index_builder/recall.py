"""How many of the best rows a vector engine finds, and how long it takes, against comparing with every vector."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from retriever.encoder import FloatArray
from retriever.vectors.protocol import VectorIndex
from retriever.vectors.rows import Rows

FOUND = 10
"""Recall is the share of so many best rows that are found (recall@10)."""

_COMPARED_TOGETHER = 16_384  # vectors
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Sample:
    """Queries and what the best search finds for them.

    ``queries``: (queries, dimension). ``least_scores``: the score of each query's tenth best row. ``own_rows``: the
    row that each query is the vector of, which is held out; None for questions.
    """

    queries: FloatArray
    least_scores: FloatArray
    own_rows: Rows | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """What searches with one effort gave: recall from 0 to 1, and milliseconds of one search."""

    effort: int
    recall: float
    p50_ms: float
    p95_ms: float


def questions_sample(vectors: FloatArray, queries: FloatArray) -> Sample:
    """A sample of these queries over the vectors, shape (rows, dimension)."""
    return Sample(queries, _least_scores(vectors, queries, FOUND))


def held_out_sample(vectors: FloatArray, rows: Rows, *, queries: int, seed: int) -> Sample:
    """A sample of the vectors themselves, ascending by row: each is looked for among the others."""
    places = np.random.default_rng(seed).choice(len(vectors), min(queries, len(vectors)), replace=False)
    chosen = np.array(vectors[places])
    return Sample(chosen, _least_scores(vectors, chosen, FOUND + 1), rows[places])


def measure(
    index: VectorIndex,
    sample: Sample,
    vectors: FloatArray,
    rows: Rows,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Measured:
    """Search for every query, one at a time; ``vectors`` are those of ``rows``, ascending. ``clock``: in seconds."""
    right, seconds = 0, []
    for number, (query, least) in enumerate(zip(sample.queries, sample.least_scores, strict=True)):
        started = clock()
        (hits,) = index.search(query[np.newaxis, :], k=FOUND + (sample.own_rows is not None))
        seconds.append(clock() - started)
        own = None if sample.own_rows is None else sample.own_rows[number]
        found = [row for row, _ in hits if row != own][:FOUND]
        # by its true score, so that of equal rows any is right
        right += int(np.sum(vectors[np.searchsorted(rows, found)] @ query >= least - _TOLERANCE))
    p50, p95 = np.percentile(1000 * np.array(seconds), [50, 95])
    wanted = len(sample.queries) * min(FOUND, len(rows) - (sample.own_rows is not None))
    return Measured(index.effort, right / wanted, float(p50), float(p95))


def _least_scores(vectors: FloatArray, queries: FloatArray, k: int) -> FloatArray:
    """The score of each query's k-th best vector, or of its last where there are fewer."""
    best = np.empty((len(queries), 0), dtype=np.float32)  # (queries, up to k)
    for first in range(0, len(vectors), _COMPARED_TOGETHER):
        scores = queries @ vectors[first : first + _COMPARED_TOGETHER].T
        best = _largest(np.concatenate([best, scores], axis=1), k)
    least: FloatArray = best.min(axis=1)
    return least


def _largest(scores: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.float32]:
    if scores.shape[1] <= k:
        return scores
    return np.partition(scores, scores.shape[1] - k, axis=1)[:, -k:]
