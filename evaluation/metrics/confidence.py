"""How far confidences are the probabilities that they claim to be."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.metrics import brier_score_loss

from evaluation.metrics.resampling import percentile_interval
from evaluation.metrics.ties import Ranked, ranked
from evaluation.metrics.types import Flags, Numbers


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of about the same confidence: how many, their mean confidence and their share right."""

    count: int
    confidence: float
    accuracy: float


def reliability(confidences: Numbers, right: Flags, *, bins: int = 10) -> list[Bin]:
    """The points of a reliability diagram, most confident first: bins of equal mass, none of them empty.

    The answers are sorted by confidence and cut into ``bins`` runs as equal in number as can be. Answers of
    equal confidence each count as their common share right, so that their order does not matter.
    """
    ranking = ranked(confidences, right)
    return [
        Bin(
            part.stop - part.start,
            float(ranking.confidences[part].mean()),
            float(ranking.shares[part].mean()),
        )
        for part in _bins(ranking, bins)
    ]


def ece(
    confidences: Numbers, right: Flags, *, bins: int = 10, weights: Numbers | None = None
) -> float | None:
    """0-1, lower is better: the expected calibration error over bins of equal mass; None of nothing.

    sum_b (n_b / n) * |mean confidence of b - share right in b| (Guo et al. 2017, there with equal widths).
    ``weights``: how much each answer counts, above 0, in n, means and shares; all the same unless given.
    """
    ranking = ranked(confidences, right, weights)
    gaps = ranking.weights * (ranking.confidences - ranking.shares)
    parts = _bins(ranking, bins)
    return (
        sum(abs(float(gaps[part].sum())) for part in parts) / float(ranking.weights.sum()) if parts else None
    )


def ece_band(
    confidences: Numbers, *, bins: int = 10, samples: int = 1000, seed: int = 0, mass: float = 0.95
) -> tuple[float, float] | None:
    """The interval that holds the ECE of a perfectly calibrated predictor; None of nothing.

    An ECE above it speaks against calibration, one inside does not. Each sample draws every answer right with
    the probability that its confidence claims (consistency resampling, Bröcker and Smith 2007); ``mass`` of the
    samples' ECEs lies inside the interval, as much below as above it.
    """
    claimed = np.asarray(confidences, dtype=np.float64)
    rng = np.random.default_rng(seed)
    errors = (ece(claimed, rng.random(len(claimed)) < claimed, bins=bins) for _ in range(samples))
    return percentile_interval(errors, mass=mass)


def brier(confidences: Numbers, right: Flags) -> float | None:
    """0-1, lower is better: the mean squared distance of confidence from outcome (Brier 1950); None of nothing."""
    return float(brier_score_loss(right, confidences, pos_label=True)) if len(confidences) else None


def _bins(ranking: Ranked, bins: int) -> list[slice]:
    """The places of the answers of each bin: where the mass so far passes 1, 2, ... of ``bins`` parts of all."""
    mass = np.cumsum(ranking.weights)
    if not len(mass):
        return []
    inner = np.searchsorted(mass, mass[-1] * np.arange(1, bins) / bins, side="right")
    return [slice(start, end) for start, end in pairwise(sorted({0, *inner.tolist(), len(mass)}))]
