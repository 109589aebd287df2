"""Confidence: how sure the service is of each cited answer."""

import math
from collections.abc import Sequence
from typing import Protocol

from app.answering.confidence.calibrator import Calibrator
from app.answering.confidence.features import Backed, Evidence, features
from app.answering.types import BROAD_SOURCES


class ConfidenceScorer(Protocol):
    """What the pipeline needs to say how sure it is."""

    def score(self, evidence: Evidence, backed: Sequence[Backed]) -> list[float]:
        """Confidence of each candidate, 0-1."""


class ScoreConfidence:
    """Geometric mean of support and the candidate's mean token probability; support alone where that is not known.

    An uncalibrated score: it orders answers, but 0.8 does not mean that 80% of such answers are right.
    """

    def score(self, evidence: Evidence, backed: Sequence[Backed]) -> list[float]:  # noqa: ARG002
        return [_score(one.support, one.candidate.mean_token_probability) for one in backed]


class CalibratedConfidence:
    """A fitted calibrator's word; where it does not apply (see ``FittedOn``), a score like any other.

    Of yes or no, lists and explanations its ``broad`` law tells; the reader's own probability where it has none.
    """

    def __init__(self, calibrator: Calibrator) -> None:
        self._calibrator = calibrator

    def score(self, evidence: Evidence, backed: Sequence[Backed]) -> list[float]:
        rows = features(evidence, backed)
        confidences = self._calibrator.confidences(rows)
        broad = None if self._calibrator.broad is None else self._calibrator.broad.confidences(rows)
        return [
            float(confidences[row])
            if one.candidate.source not in BROAD_SOURCES
            else math.exp(one.candidate.logprob)
            if broad is None
            else float(broad[row])
            for row, one in enumerate(backed)
        ]


def _score(support: float, probability: float | None) -> float:
    return support if probability is None else float((support * probability) ** 0.5)
