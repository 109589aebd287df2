"""Fitting a law of confidence: logistic regression over all candidates, then over those that it chooses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from sklearn.linear_model import LogisticRegression

from app.answering.confidence.calibrator import JudgedAnswers, Law
from app.answering.confidence.features import FEATURES, FloatArray
from common.errors import LoccitError

L = TypeVar("L", bound=Law)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The candidate of a question that a law gives the highest logit. ``number``: which of them."""

    answers: JudgedAnswers
    number: int
    logit: float

    @property
    def right(self) -> bool:
        """Whether it is right, as its question's candidates were judged."""
        return self.answers.right[self.number]


def fitted_law(judged: Sequence[JudgedAnswers], weights: FloatArray, names: tuple[str, ...]) -> Law:
    """First over all candidates, so that it learns to choose; then slope and intercept over those it chooses.

    ``judged``: each with one candidate at least. ``weights``: how much each question counts, (judged,); its candidates
    share it. ``names``: the features that are weighed.

    Raises:
        LoccitError: when nothing that is known tells right from wrong.
    """
    columns = [FEATURES.index(name) for name in names]
    rows = np.concatenate([answers.rows for answers in judged])[:, columns]
    right = np.array([verdict for answers in judged for verdict in answers.right])
    shares = np.concatenate(
        [
            np.full(len(answers.rows), weight / len(answers.rows))
            for answers, weight in zip(judged, weights, strict=True)
        ]
    )
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    if right.all() or not right.any():
        raise _no_telling(right)
    model = LogisticRegression(C=1.0, max_iter=1000)
    model.fit((rows - mean) / scale, right, sample_weight=shares)
    first = Law(
        names,
        tuple(mean.tolist()),
        tuple(scale.tolist()),
        tuple(model.coef_[0].tolist()),
        float(model.intercept_[0]),
    )
    return rescaled(first, judged, weights)


def rescaled(law: L, judged: Sequence[JudgedAnswers], weights: FloatArray) -> L:
    """The law with its logits stretched and moved to fit the answers that it chooses (Platt 1999).

    As there, a right answer counts as right to the share (n + 1) / (n + 2) of n right ones, and a wrong one of n to
    1 / (n + 2): a few that logits part without an error say that these are well told apart, not that it is certain.

    Raises:
        LoccitError: when all that are chosen are right, or wrong, or a higher logit means a wrong one.
    """
    chosen = choices(judged, law.logits)
    logits, right = np.array([one.logit for one in chosen]), np.array([one.right for one in chosen])
    if right.all() or not right.any():
        raise _no_telling(right)
    model = LogisticRegression(C=1e6, max_iter=1000)
    hits, misses = int(right.sum()), int((~right).sum())
    targets = np.where(right, (hits + 1) / (hits + 2), 1 / (misses + 2))
    # each answer once as right, to the share of its target, and once as wrong, for the rest
    model.fit(
        np.tile(logits, 2)[:, None],
        np.repeat([True, False], len(right)),
        sample_weight=np.tile(weights, 2) * np.concatenate([targets, 1 - targets]),
    )
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    if slope <= 0:
        raise LoccitError(
            "Nothing that is known of these answers tells right from wrong; give more questions, or look whether their "
            "answers are spelt as the documents spell them."
        )
    return replace(
        law,
        weights=tuple(slope * weight for weight in law.weights),
        intercept=slope * law.intercept + intercept,
    )


def choices(judged: Sequence[JudgedAnswers], logits: Callable[[FloatArray], FloatArray]) -> list[Chosen]:
    """Of each question that has candidates the one that would be chosen."""
    chosen = []
    for answers in judged:
        if len(answers.rows):
            scores = logits(answers.rows)
            best = int(scores.argmax())
            chosen.append(Chosen(answers, best, float(scores[best])))
    return chosen


def _no_telling(right: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> LoccitError:
    return LoccitError(
        f"Every answer that would be chosen is {'right' if right.all() else 'wrong'}, so there is no telling one from "
        "the other; give more questions, with some that the index answers and some that it cannot."
    )
