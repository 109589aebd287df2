"""How far confidences are the probabilities that they claim to be."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from sklearn.metrics import brier_score_loss

from evaluation.metrics.resampling import percentile_interval
from evaluation.metrics.ties import ranked
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
    ranking, shares = ranked(confidences, right)
    edges = sorted({len(ranking) * number // bins for number in range(bins + 1)})
    return [
        Bin(end - start, float(ranking[start:end].mean()), float(shares[start:end].mean()))
        for start, end in pairwise(edges)
    ]


def ece(confidences: Numbers, right: Flags, *, bins: int = 10) -> float | None:
    """0-1, lower is better: the expected calibration error over bins of equal mass; None of nothing.

    sum_b (n_b / n) * |mean confidence of b - share right in b| (Guo et al. 2017, there with equal widths).
    """
    points = reliability(confidences, right, bins=bins)
    gaps = sum(point.count * abs(point.confidence - point.accuracy) for point in points)
    return gaps / len(confidences) if points else None


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
