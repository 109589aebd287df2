"""Metrics as pure functions of texts."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import accumulate, pairwise
from statistics import mean

from app.answering.normalise import normalise_answer

_ARTICLES = frozenset({"a", "an", "the"})


def exact_match(prediction: str, answers: Sequence[str]) -> bool:
    """Whether the prediction is one of the answers after SQuAD's normalisation (Rajpurkar et al. 2016)."""
    return normalise_answer(prediction) in {normalise_answer(answer) for answer in answers}


def f1(prediction: str, answers: Sequence[str]) -> float:
    """0-1: the best harmonic mean of word precision and recall against any of the answers."""
    return max((_f1(prediction, answer) for answer in answers), default=0.0)


def has_answer(text: str, answers: Sequence[str]) -> bool:
    """Whether an answer stands in the text as a run of whole words (DPR's has_answer), articles aside."""
    padded = f" {_words(text)} "
    return any(words and f" {words} " in padded for words in map(_words, answers))


def ece(confidences: Sequence[float], right: Sequence[bool], *, bins: int = 10) -> float | None:
    """0-1, lower is better: the expected calibration error over bins of equal mass; None of nothing.

    The answers are sorted by confidence and cut into ``bins`` runs as equal in number as can be; the error is
    sum_b (n_b / n) * |mean confidence of b - share right in b| (Guo et al. 2017, there with equal widths).
    Answers of equal confidence each count as their common share right, so that their order does not matter.
    """
    ranked = _ranked(confidences, right)
    count = len(ranked)
    edges = [count * number // bins for number in range(bins + 1)]
    gaps = [
        abs(sum(confidence - share for confidence, share in ranked[start:end]))
        for start, end in pairwise(edges)
    ]
    return sum(gaps) / count if count else None


def aurc(confidences: Sequence[float], right: Sequence[bool]) -> float | None:
    """0-1, lower is better: the area under the risk-coverage curve (Geifman et al. 2019); None of nothing.

    The mean over k = 1..n of the share that is wrong among the k most confident. Equal confidences count as
    the mean over every order of theirs.
    """
    ranked = _ranked(confidences, right)
    wrong = accumulate(1 - share for _, share in ranked)
    return mean(total / covered for covered, total in enumerate(wrong, start=1)) if ranked else None


def _ranked(confidences: Sequence[float], right: Sequence[bool]) -> list[tuple[float, float]]:
    """Every confidence, highest first, with the share right among all of that confidence."""
    tied = defaultdict(list)
    for confidence, flag in zip(confidences, right, strict=True):
        tied[confidence].append(flag)
    return [
        (confidence, sum(tied[confidence]) / len(tied[confidence]))
        for confidence in sorted(confidences, reverse=True)
    ]


def _words(text: str) -> str:
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", text).lower())
    return " ".join(word for word in words if word not in _ARTICLES)


def _f1(prediction: str, answer: str) -> float:
    predicted, expected = normalise_answer(prediction).split(), normalise_answer(answer).split()
    if not predicted or not expected:
        return float(predicted == expected)
    shared = sum((Counter(predicted) & Counter(expected)).values())
    return 2 * shared / (len(predicted) + len(expected))
