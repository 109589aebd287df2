"""How one question is answered."""

from dataclasses import dataclass

DEFAULT_MIN_CONFIDENCE = 0.55  # docs/decisions/0006-confidence-is-a-score.md


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """What can differ from question to question.

    ``top_k``: passages retrieved and read. ``candidates``: answers generated, one for each of the best
    passages first. ``seed``: of the sampled candidates beyond those. ``min_confidence``: abstain below it.
    """

    top_k: int = 20
    candidates: int = 3
    seed: int = 0
    min_confidence: float = DEFAULT_MIN_CONFIDENCE
