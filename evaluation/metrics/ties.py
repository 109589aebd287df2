"""Answers ranked by confidence, so that the order of equal confidences does not matter."""

from typing import NamedTuple

import numpy as np

from evaluation.metrics.types import Flags, Floats, Numbers


class Ranked(NamedTuple):
    """Answers, most confident first; each array (answers,).

    ``shares``: the share right among all of the answer's confidence. ``weights``: their mean weight; 1 unless given.
    """

    confidences: Floats
    shares: Floats
    weights: Floats


def ranked(confidences: Numbers, right: Flags, weights: Numbers | None = None) -> Ranked:
    """The answers, ranked. ``weights``: how much each counts, above 0; all the same unless given.

    Raises:
        ValueError: when there is not one of each for every answer.
    """
    values, group, counts = np.unique(
        np.asarray(confidences, dtype=np.float64), return_inverse=True, return_counts=True
    )
    marks = np.asarray(right, dtype=np.float64)
    counted = np.ones(len(group)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not len(group) == len(marks) == len(counted):
        raise ValueError("Confidences, verdicts and weights have to be of the same length.")
    mass = np.bincount(group, weights=counted, minlength=len(counts))
    shares = np.bincount(group, weights=counted * marks) / mass
    return Ranked(*(np.repeat(column, counts)[::-1] for column in (values, shares, mass / counts)))
