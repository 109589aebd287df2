"""Fitting a calibrator: logistic regression over the features of judged answers, checked by cross-fitting."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from math import floor
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import beta
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from app.answering.confidence.calibrator import (
    THRESHOLDS,
    Calibrator,
    FittedOn,
    JudgedAnswers,
    Law,
    ThresholdRecord,
    sigmoid,
)
from app.answering.confidence.features import FloatArray
from calibration.law import Chosen, choices, fitted_law, rescaled
from common.errors import LoccitError

WEIGHED = (
    "pointer",
    "lm_agreement",
    "retrieval_score",
    "retrieval_gap",
    "support",
    "lm_logprob",
    "lm_right",
    "answerability",
)
"""The features of short answers, of which ``broad`` is always 0.

docs/decisions/0050-a-sentence-is-judged-beside-its-rivals.md says why the three newest are not among them.
"""
FOLDS = 10
CERTAINTY = 0.95
LEAST_OF_EACH = 20
"""Right and wrong answers that a calibrator needs at least."""
LEAST_TO_RESCALE = 8
"""Right and wrong answers that are enough where an earlier fit only has to be rescaled."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Held:
    """The answers that fits which had not seen their questions would have given: the most confident of each.

    ``confidences``, ``weights``: (questions with an answer,). ``right``: of those, right and supported.
    ``weights`` count answerable and unanswerable questions half and half.
    """

    confidences: FloatArray
    right: BoolArray
    weights: FloatArray

    @property
    def log_loss(self) -> float:
        """Mean negative log-likelihood of the verdicts, in nats; lower is better."""
        kept = np.clip(self.confidences, 1e-6, 1 - 1e-6)
        return float(log_loss(self.right, kept, sample_weight=self.weights, labels=[False, True]))

    @property
    def brier(self) -> float:
        """Mean squared difference of confidence and verdict; lower is better."""
        return float(
            brier_score_loss(self.right, self.confidences, sample_weight=self.weights, pos_label=True)
        )

    @property
    def accuracy(self) -> float:
        """Share of the answers that is right and supported."""
        return float(np.average(self.right, weights=self.weights))

    @property
    def auroc(self) -> float:
        """Probability that a right answer is more confident than a wrong one."""
        return float(roc_auc_score(self.right, self.confidences, sample_weight=self.weights))


@dataclass(frozen=True, slots=True)
class Fitted:
    """A calibrator with what cross-fitting found: with all features, and leaving out one at a time."""

    calibrator: Calibrator
    held: Held
    without: Mapping[str, Held | None]


def fit(
    judged: Sequence[JudgedAnswers],
    fitted_on: FittedOn,
    *,
    start: Calibrator | None = None,
    ablation: bool = True,
) -> Fitted:
    """Fit on all of these, and say how well such a fit does on questions that it has not seen.

    ``start``: an earlier fit for the same models, whose ``broad`` law is kept. Where there are too few answers to weigh
    every feature, its weights are kept too, and only slope and intercept of its logits are fitted.

    Raises:
        LoccitError: when right or wrong answers are too few to learn from.
    """
    if start is not None and min(_right_and_wrong(judged)) < LEAST_OF_EACH:
        return _fit_rescaled(judged, fitted_on, start)
    _require_enough(judged, LEAST_OF_EACH)
    held = _held(judged, partial(_fitted, names=WEIGHED))
    law = _fitted(judged, names=WEIGHED)
    names = WEIGHED if ablation else ()
    without = {name: _held_without(judged, name) for name in names}
    return Fitted(_recorded(law, fitted_on, held, start), held, without)


def _fit_rescaled(judged: Sequence[JudgedAnswers], fitted_on: FittedOn, start: Calibrator) -> Fitted:
    _require_enough(judged, LEAST_TO_RESCALE)
    held = _held(judged, partial(_rescaled, start=start))
    return Fitted(_recorded(_rescaled(judged, start), fitted_on, held, start), held, {})


def _rescaled(judged: Sequence[JudgedAnswers], start: Calibrator) -> Calibrator:
    """A fit with its logits stretched and moved to fit the answers that it would choose."""
    answered = _answered(judged)
    return rescaled(start, answered, _halves(answered))


def _recorded(law: Law, fitted_on: FittedOn, held: Held, start: Calibrator | None) -> Calibrator:
    """The law with what it was fitted on, what holding out found, and the earlier fit's law of other kinds."""
    quality: dict[str, Any] = {
        "log_loss": round(held.log_loss, 4),
        "brier": round(held.brier, 4),
        "auroc": round(held.auroc, 4),
        "accuracy": round(held.accuracy, 4),
        "folds": FOLDS,
    }
    if start is not None and "broad" in start.quality:
        quality["broad"] = start.quality["broad"]
    return Calibrator(
        law.features,
        law.mean,
        law.scale,
        law.weights,
        law.intercept,
        fitted_on,
        thresholds=tuple(_thresholds(held)),
        quality=quality,
        broad=None if start is None else start.broad,
    )


def lower_bound(right: int, given: int, *, tried: int) -> float:
    """The accuracy that holds with 95% certainty, one-sided (Clopper and Pearson 1934), for each of ``tried``
    thresholds at once (Bonferroni); 0 of nothing.
    """
    if right == 0:
        return 0.0
    return float(beta.ppf((1 - CERTAINTY) / tried, right, given - right + 1))


def _thresholds(held: Held) -> Iterator[ThresholdRecord]:
    for threshold in THRESHOLDS:
        given = held.confidences >= threshold
        right = int((given & held.right).sum())
        bound = lower_bound(right, int(given.sum()), tried=len(THRESHOLDS))
        yield ThresholdRecord(threshold, int(given.sum()), right, floor(bound * 1e4) / 1e4)


def _right_and_wrong(judged: Sequence[JudgedAnswers]) -> tuple[int, int]:
    """Questions with a right answer, and with a wrong one."""
    return sum(any(answers.right) for answers in judged), sum(not all(answers.right) for answers in judged)


def _require_enough(judged: Sequence[JudgedAnswers], least: int) -> None:
    right, wrong = _right_and_wrong(judged)
    if min(right, wrong) < least:
        raise LoccitError(
            f"A calibrator needs at least {least} questions with a right answer and as many with a wrong one, "
            f"but there are {right} and {wrong}; give more questions, with some that the index cannot answer."
        )


def _held(judged: Sequence[JudgedAnswers], fitted: Callable[[Sequence[JudgedAnswers]], Law]) -> Held:
    """``fitted``: what fits on some of them."""
    parts = [_fold(answers.question) for answers in judged]
    chosen: list[Chosen] = []
    for fold in range(FOLDS):
        seen = [answers for answers, part in zip(judged, parts, strict=True) if part != fold]
        unseen = [answers for answers, part in zip(judged, parts, strict=True) if part == fold]
        if unseen:
            if not _answered(seen):
                raise LoccitError(
                    "The questions that have answers are all the same one, so that no other can be fitted to; give "
                    "different questions."
                )
            chosen += choices(unseen, fitted(seen).logits)
    return Held(
        sigmoid(np.array([one.logit for one in chosen])),
        np.array([one.right for one in chosen]),
        _halves([one.answers for one in chosen]),
    )


def _held_without(judged: Sequence[JudgedAnswers], name: str) -> Held | None:
    """None where nothing can be learnt from the other features."""
    try:
        names = tuple(feature for feature in WEIGHED if feature != name)
        return _held(judged, partial(_fitted, names=names))
    except LoccitError:
        return None


def _fitted(judged: Sequence[JudgedAnswers], names: tuple[str, ...]) -> Law:
    answered = _answered(judged)
    return fitted_law(answered, _halves(answered), names)


def _answered(judged: Sequence[JudgedAnswers]) -> list[JudgedAnswers]:
    """Those that have a candidate."""
    return [answers for answers in judged if len(answers.rows)]


def _halves(judged: Sequence[JudgedAnswers]) -> FloatArray:
    """Weights, 1 on average, that make answerable and unanswerable ones count the same in all."""
    answerable = np.array([answers.answerable for answers in judged])
    share = fmean(answerable.tolist())
    if share in (0.0, 1.0):
        return np.ones(len(answerable))
    return np.where(answerable, 0.5 / share, 0.5 / (1 - share))


def _fold(question: str) -> int:
    """The same fold for a question and itself without its gold document."""
    return int(sha256(f"loccit-fold-1:{question.strip().lower()}".encode()).hexdigest(), 16) % FOLDS
