"""The law of confidence beyond short answers: a logistic regression, checked on sets that it has not seen.

And what any law's confidences are worth on such sets.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from app.answering.answer_kind import AnswerKind
from app.answering.confidence.calibrator import THRESHOLDS, Calibrator, Law, Seen
from app.answering.confidence.features import FEATURES, FloatArray
from common.errors import LoccitError
from evaluation.metrics.confidence import ece
from evaluation.metrics.selective import aurc
from training.confidence.held_out_answers import Outcome

COLUMNS = ("broad", "retrieval_gap", "lm_logprob", "lm_right")
"""The features that it weighs; docs/decisions/0045-sentences-are-judged-by-few-numbers.md says why no more."""
LEAST_OF_EACH = 20


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer with the confidence that a law gave it which had not seen its set."""

    answer: Outcome
    confidence: float


@dataclass(frozen=True, slots=True)
class LearntLaw:
    """``held``: the answers that it learnt from, each judged by the law of the other sets."""

    law: Law
    held: tuple[Judged, ...]

    @property
    def quality(self) -> Mapping[str, Any]:
        """Over the answers held, every set counting the same."""
        return _quality(self.held)


def fit_law(outcomes: Sequence[Outcome]) -> LearntLaw:
    """The law, and the answers of each set judged by the law that leaves this set out.

    Every set counts the same. Answers that are short are not learnt from.

    Raises:
        LoccitError: when right or wrong answers are too few, or there are not two sets at least that have both.
    """
    answers = [one for one in _judgeable(outcomes) if one.asked != AnswerKind.SHORT.value]
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
    held: list[Judged] = []
    for part in parts:
        law = _fitted([one for one in answers if one.part != part])
        held += _judged([one for one in answers if one.part == part], law)
    return LearntLaw(_fitted(answers), tuple(held))


def with_law(calibrator: Calibrator, outcomes: Sequence[Outcome]) -> Calibrator:
    """The calibrator with the law that these answers teach, and what the confidences of both are worth on them.

    Its own law has not seen any of these sets, and the other is judged by what other sets teach. Raises like
    ``fit_law``.
    """
    learnt = fit_law(outcomes)
    short = _judged([one for one in _judgeable(outcomes) if one.asked == AnswerKind.SHORT.value], calibrator)
    quality = {**calibrator.quality, "broad": learnt.quality}
    if len({one.answer.right for one in short}) == 2:
        quality["elsewhere"] = _quality(short)
    return replace(
        calibrator,
        broad=replace(learnt.law, elsewhere=tuple(_seen(learnt.held))),
        elsewhere=tuple(_seen(short)),
        quality=quality,
    )


def _judgeable(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [one for one in outcomes if one.features is not None and one.right is not None]


def _judged(answers: Sequence[Outcome], law: Law) -> list[Judged]:
    if not answers:
        return []
    confidences = law.confidences(_rows(answers)).tolist()
    return [Judged(answer, confidence) for answer, confidence in zip(answers, confidences, strict=True)]


def _seen(judged: Sequence[Judged]) -> Iterator[Seen]:
    for threshold in THRESHOLDS:
        given = [one for one in judged if one.confidence >= threshold]
        yield Seen(threshold, len(given), sum(bool(one.answer.right) for one in given))


def _fitted(answers: Sequence[Outcome]) -> Law:
    rows = _rows(answers)[:, [FEATURES.index(name) for name in COLUMNS]]
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit(
        (rows - mean) / scale,
        [bool(one.right) for one in answers],
        sample_weight=_alike(answers),
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


def _quality(held: Sequence[Judged]) -> dict[str, Any]:
    confidences = np.array([one.confidence for one in held])
    right = np.array([bool(one.answer.right) for one in held])
    weights = _alike([one.answer for one in held])
    kept = np.clip(confidences, 1e-6, 1 - 1e-6)
    figures = {
        "right": np.average(right, weights=weights),
        "auroc": roc_auc_score(right, confidences, sample_weight=weights),
        "log_loss": log_loss(right, kept, sample_weight=weights),
        "brier": brier_score_loss(right, confidences, sample_weight=weights),
        "ece": ece(confidences, right, weights=weights),
        "aurc": aurc(confidences, right, weights=weights),
    }
    return {"answers": len(held), **{name: round(float(value), 4) for name, value in figures.items()}}


def _alike(answers: Sequence[Outcome]) -> FloatArray:
    """Weights that make every set count the same: (answers,), 1 on average."""
    of_part = Counter(one.part for one in answers)
    weights = np.array([1 / of_part[one.part] for one in answers])
    return np.asarray(weights * len(answers) / weights.sum(), dtype=np.float64)
