"""The law of confidence beyond short answers, checked on sets and manuals that it has not seen.

And what any law's confidences are worth on such texts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from app.answering.answer_kind import AnswerKind
from app.answering.confidence.calibrator import THRESHOLDS, Calibrator, JudgedAnswers, Law, Seen, sigmoid
from app.answering.confidence.features import feature_rows
from calibration.law import choices, fitted_law
from common.errors import LoccitError
from evaluation.metrics.confidence import ece
from evaluation.metrics.selective import aurc
from training.confidence.held_out_answers import Outcome
from training.data.evidence import MANUALS

COLUMNS = ("broad", "evidence", "answerability_gap", "lm_logprob", "lm_right")
"""The features that it weighs; docs/decisions/0052-manuals-teach-the-confidence-of-sentences.md says why these."""
LEAST_OF_EACH = 20


@dataclass(frozen=True, slots=True)
class Judged:
    """What a law that had not seen the part chose there, how surely, and whether it is right."""

    part: str
    confidence: float
    right: bool


@dataclass(frozen=True, slots=True)
class LearntLaw:
    """``held``: the questions that it learnt from, each judged by the law of the other parts."""

    law: Law
    held: tuple[Judged, ...]

    @property
    def quality(self) -> Mapping[str, Any]:
        """Over the answers held."""
        return _quality(self.held)


def fit_law(outcomes: Sequence[Outcome]) -> LearntLaw:
    """The law, and the answers of each part judged by the law that leaves this part out.

    A part is a set or a manual. Answers that are short are not learnt from; where there are manuals, nor are sets,
    which mark what answers more loosely, and are only judged.

    Raises:
        LoccitError: when right or wrong answers are too few, or there are not two parts at least that have both.
    """
    parts = _by_part([one for one in outcomes if one.given != AnswerKind.SHORT])
    answers = [one for some in _teaching(parts).values() for one in some]
    right = sum(any(one.right) for one in answers)
    wrong = sum(not all(one.right) for one in answers)
    if min(right, wrong) < LEAST_OF_EACH:
        raise LoccitError(
            f"At least {LEAST_OF_EACH} right and as many wrong answers are needed, but there are {right} and {wrong}; "
            "ask more questions."
        )
    others = {part: _teaching({name: some for name, some in parts.items() if name != part}) for part in parts}
    if any(
        len({verdict for some in rest.values() for one in some for verdict in one.right}) < 2
        for rest in others.values()
    ):
        raise LoccitError(
            f"The law is checked on each set by the others, but of {', '.join(parts)} too few have both right and "
            "wrong answers; ask more questions of more sets."
        )
    held = [judged for part, some in parts.items() for judged in _judged(part, some, _fitted(others[part]))]
    return LearntLaw(_fitted(parts), tuple(held))


def with_law(calibrator: Calibrator, outcomes: Sequence[Outcome]) -> Calibrator:
    """The calibrator with the law that these answers teach, and what the confidences of both are worth on them.

    Its own law has not seen any of these texts, and the other is judged by what other parts teach. Raises like
    ``fit_law``.
    """
    learnt = fit_law(outcomes)
    parts = _by_part([one for one in outcomes if one.given == AnswerKind.SHORT])
    short = [judged for part, some in parts.items() for judged in _judged(part, some, calibrator)]
    quality = {**calibrator.quality, "broad": learnt.quality}
    if len({one.right for one in short}) == 2:
        quality["elsewhere"] = _quality(short)
    return replace(
        calibrator,
        broad=replace(learnt.law, elsewhere=tuple(_seen(learnt.held))),
        elsewhere=tuple(_seen(short)),
        quality=quality,
    )


def _by_part(outcomes: Sequence[Outcome]) -> dict[str, list[JudgedAnswers]]:
    """The questions of which a candidate is known to be right or wrong, with those candidates."""
    parts: dict[str, list[JudgedAnswers]] = {}
    for one in outcomes:
        known = [
            (candidate.features, candidate.right)
            for candidate in one.candidates
            if candidate.right is not None
        ]
        if known:
            rows, right = zip(*known, strict=True)
            parts.setdefault(one.part, []).append(
                JudgedAnswers(one.question, one.answerable, feature_rows(rows), right)
            )
    return parts


def _teaching(parts: Mapping[str, list[JudgedAnswers]]) -> Mapping[str, list[JudgedAnswers]]:
    """The manuals, where there are any; else all."""
    manuals = {part: some for part, some in parts.items() if part.startswith(f"{MANUALS}:")}
    return manuals or parts


def _fitted(parts: Mapping[str, list[JudgedAnswers]]) -> Law:
    answers = [one for some in _teaching(parts).values() for one in some]
    return fitted_law(answers, np.ones(len(answers)), COLUMNS)


def _judged(part: str, answers: Sequence[JudgedAnswers], law: Law) -> Iterator[Judged]:
    chosen = choices(answers, law.logits)
    confidences = sigmoid(np.array([one.logit for one in chosen]))
    for one, confidence in zip(chosen, confidences.tolist(), strict=True):
        yield Judged(part, confidence, one.right)


def _seen(judged: Sequence[Judged]) -> Iterator[Seen]:
    for threshold in THRESHOLDS:
        given = [one for one in judged if one.confidence >= threshold]
        yield Seen(threshold, len(given), sum(one.right for one in given))


def _quality(held: Sequence[Judged]) -> dict[str, Any]:
    confidences = np.array([one.confidence for one in held])
    right = np.array([one.right for one in held])
    kept = np.clip(confidences, 1e-6, 1 - 1e-6)
    figures = {
        "right": right.mean(),
        "auroc": roc_auc_score(right, confidences),
        "log_loss": log_loss(right, kept),
        "brier": brier_score_loss(right, confidences),
        "ece": ece(confidences, right),
        "aurc": aurc(confidences, right),
    }
    return {"answers": len(held), **{name: round(float(value), 4) for name, value in figures.items()}}
