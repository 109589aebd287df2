"""How one question is answered."""

from dataclasses import dataclass
from enum import StrEnum

FITTED_MIN_CONFIDENCE = 0.5  # docs/decisions/0011-confidence-is-fitted.md
SCORE_MIN_CONFIDENCE = 0.55  # docs/decisions/0006-confidence-is-a-score.md


class AnswerLength(StrEnum):
    """How much an answer says.

    ``AUTO``: what the question asks for: a few words, yes or no, a list, or sentences. ``SHORT``: a few words.
    ``LONG``: sentences, also around a few words.
    """

    AUTO = "auto"
    SHORT = "short"
    LONG = "long"


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """What can differ from question to question.

    ``top_k``: passages retrieved. ``candidates``: attempts of the language model, see its generator.
    ``seed``: of those that are sampled. ``min_confidence``: abstain below it.
    ``length``: how much it says.
    """

    top_k: int = 20
    candidates: int = 1
    seed: int = 0
    min_confidence: float = SCORE_MIN_CONFIDENCE
    length: AnswerLength = AnswerLength.AUTO
