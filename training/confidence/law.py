"""The law of confidence beyond short answers: a logistic regression, checked on sets that it has not seen."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from app.answering.answer_kind import AnswerKind
from app.answering.confidence.calibrator import Calibrator, Law
from app.answering.confidence.features import FEATURES, FloatArray
from common.errors import LoccitError
from training.confidence.held_out_answers import Outcome

COLUMNS = ("answerability", "broad", "support", "retrieval_score", "retrieval_gap", "lm_logprob", "lm_right")
"""The features that it weighs: those that say something of an answer beyond a few words."""
LEAST_OF_EACH = 20


def fit_law(outcomes: Sequence[Outcome]) -> tuple[Law, Mapping[str, Any]]:
    """The law, and its quality on the answers of each set by the fit that leaves this set out.

    Every set counts the same. Answers that are short are not learnt from.

    Raises:
        LoccitError: when right or wrong answers are too few, or there are not two sets at least that have both.
    """
    answers = [
        one
        for one in outcomes
        if one.features is not None and one.right is not None and one.asked != AnswerKind.SHORT.value
    ]
    right = sum(bool(one.right) for one in answers)
    if min(right, len(answers) - right) < LEAST_OF_EACH:
        raise LoccitError(
            f"At least {LEAST_OF_EACH} right and as many wrong answers are needed, but there are {right} and "
            f"{len(answers) - right}; ask more questions."
        )
    parts = dict.fromkeys(one.part for one in answers)
    if any(len({one.right for one in answers if one.part != part}) < 2 for part in parts):
        names = ", ".join(parts)
        raise LoccitError(
            f"The law is checked on each set by the others, but of {names} too few have both right and "
            "wrong answers; ask more questions of more sets."
        )
    held: list[tuple[float, bool, float]] = []
    for part in parts:
        law = _fitted([one for one in answers if one.part != part])
        unseen = [one for one in answers if one.part == part]
        confidences = law.confidences(_rows(unseen))
        held += [
            (float(confidence), bool(one.right), 1 / len(unseen))
            for confidence, one in zip(confidences, unseen, strict=True)
        ]
    return _fitted(answers), _quality(held)


def with_law(calibrator: Calibrator, outcomes: Sequence[Outcome]) -> Calibrator:
    """The calibrator with the law that these answers teach; raises like ``fit_law``."""
    law, quality = fit_law(outcomes)
    return replace(calibrator, broad=law, quality={**calibrator.quality, "broad": quality})


def _fitted(answers: Sequence[Outcome]) -> Law:
    rows = _rows(answers)[:, [FEATURES.index(name) for name in COLUMNS]]
    of_part = {part: [one.part for one in answers].count(part) for part in {one.part for one in answers}}
    weights = np.array([1 / of_part[one.part] for one in answers])
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit(
        (rows - mean) / scale,
        [bool(one.right) for one in answers],
        sample_weight=weights * len(answers) / weights.sum(),
    )
    return Law(
        COLUMNS,
        tuple(mean.tolist()),
        tuple(scale.tolist()),
        tuple(model.coef_[0].tolist()),
        float(model.intercept_[0]),
    )


def _rows(answers: Sequence[Outcome]) -> FloatArray:
    return np.array([one.features for one in answers], dtype=np.float64)


def _quality(held: Sequence[tuple[float, bool, float]]) -> dict[str, Any]:
    confidences, right, weights = (np.array(column) for column in zip(*held, strict=True))
    kept = np.clip(confidences, 1e-6, 1 - 1e-6)
    return {
        "answers": len(held),
        "right": round(float(np.average(right, weights=weights)), 4),
        "auroc": round(float(roc_auc_score(right, confidences, sample_weight=weights)), 4),
        "log_loss": round(float(log_loss(right, kept, sample_weight=weights)), 4),
        "brier": round(float(brier_score_loss(right, confidences, sample_weight=weights)), 4),
    }
