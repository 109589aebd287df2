"""How well confidence tells which answers to give.

A question without an answer has confidence 0 and counts as wrong. Answering with coverage k / n means giving
the k most confident answers of n.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import roc_auc_score

from evaluation.metrics.ties import Ranked, ranked
from evaluation.metrics.types import Flags, Floats, Numbers


@dataclass(frozen=True, slots=True)
class Detection:
    """0-1, higher is better: how well something was detected. None where nothing could be counted."""

    precision: float | None
    recall: float | None
    f1: float | None


def risk_coverage(confidences: Numbers, right: Flags) -> list[tuple[float, float]]:
    """The risk-coverage curve: for k = 1..n, k / n and the share wrong among the k most confident.

    Equal confidences count as the mean over every order of theirs (Geifman and El-Yaniv 2017).
    """
    risks = _risks(ranked(confidences, right))
    return [(k / len(risks), risk) for k, risk in enumerate(risks.tolist(), start=1)]


def aurc(confidences: Numbers, right: Flags, *, weights: Numbers | None = None) -> float | None:
    """0-1, lower is better: the area under the risk-coverage curve, its mean risk; None of nothing.

    Geifman et al. 2019. ``weights``: how much each answer counts, above 0, in risks and their mean; all the same
    unless given.
    """
    ranking = ranked(confidences, right, weights)
    risks = _risks(ranking)
    return float(np.average(risks, weights=ranking.weights)) if len(risks) else None


def aurc_of_random(right: Flags) -> float | None:
    """0-1: the AURC to expect of confidences that tell nothing, which is the share wrong; None of nothing."""
    return 1 - float(np.mean(right)) if len(right) else None


def relative_aurc(confidences: Numbers, right: Flags) -> float | None:
    """Lower is better: the AURC as a multiple of a random order's; None when nothing is wrong.

    Below 1, confidence tells right from wrong; at 1, it is no better than random.
    """
    area, random_area = aurc(confidences, right), aurc_of_random(right)
    return area / random_area if area and random_area else None


def accuracy_at(confidences: Numbers, right: Flags, *, coverage: float) -> float | None:
    """0-1, higher is better: the share right among the ceil(coverage * n) most confident; None of nothing.

    Equal confidences count as the mean over every order of theirs.
    """
    curve = risk_coverage(confidences, right)
    k = math.ceil(round(coverage * len(curve), 9))  # 0.07 * 100 is 7.000000000000001
    return 1 - curve[k - 1][1] if k > 0 else None


def coverage_at(confidences: Numbers, right: Flags, *, accuracy: float) -> float | None:
    """0-1, higher is better: the largest coverage whose answers have this accuracy, 0 if none; None of nothing.

    Only cuts that a threshold can make count: equal confidences are given together or not at all.
    """
    ranking = ranked(confidences, right)
    ends = np.flatnonzero(np.diff(ranking.confidences, append=-np.inf)) + 1  # k at every threshold
    hits = np.rint(np.cumsum(ranking.shares)[ends - 1])  # ties are whole here, so these are whole numbers
    reached = ends[hits / ends >= accuracy]
    return float(reached.max(initial=0) / len(confidences)) if len(confidences) else None


def auroc(confidences: Numbers, positive: Flags) -> float | None:
    """0-1, higher is better: how probably a positive has a higher confidence than a negative, ties half.

    The area under the ROC curve (Hanley and McNeil 1982). None without both kinds.
    """
    both_kinds = any(positive) and not all(positive)
    return float(roc_auc_score(positive, confidences)) if both_kinds else None


def precision_recall_f1(predicted: Sequence[bool], actual: Sequence[bool]) -> Detection:
    """How well the predicted flags find the actual ones: abstentions and unanswerable questions, say."""
    both = sum(guess and truth for guess, truth in zip(predicted, actual, strict=True))
    return Detection(
        precision=_ratio(both, sum(predicted)),
        recall=_ratio(both, sum(actual)),
        f1=_ratio(2 * both, sum(predicted) + sum(actual)),
    )


def _risks(ranking: Ranked) -> Floats:
    """The share wrong among each answer and all before it: (answers,)."""
    wrong = np.cumsum(ranking.weights * (1 - ranking.shares))
    return np.asarray(wrong / np.cumsum(ranking.weights), dtype=np.float64)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
