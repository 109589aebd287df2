"""How near an answer comes to the known ones: exact match and F1, as SQuAD counts them (Rajpurkar et al. 2016)."""

from collections import Counter
from collections.abc import Sequence

from app.answering.text.normalise import normalise_answer


def exact_match(prediction: str, answers: Sequence[str]) -> bool:
    """Whether the prediction is one of the answers after SQuAD's normalisation."""
    return normalise_answer(prediction) in {normalise_answer(answer) for answer in answers}


def f1(prediction: str, answers: Sequence[str]) -> float:
    """0-1: the best harmonic mean of word precision and recall against any of the answers."""
    return max((_f1(prediction, answer) for answer in answers), default=0.0)


def _f1(prediction: str, answer: str) -> float:
    predicted, expected = normalise_answer(prediction).split(), normalise_answer(answer).split()
    if not predicted or not expected:
        return float(predicted == expected)
    shared = sum((Counter(predicted) & Counter(expected)).values())
    return 2 * shared / (len(predicted) + len(expected))
