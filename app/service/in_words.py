"""What a response means, in words for a reader."""

from collections.abc import Mapping

from app.answering.types import AbstainReason
from app.service.response import AnswerResponse

REASONS: Mapping[AbstainReason, str] = {
    AbstainReason.NO_PASSAGES: "nothing in the index comes near the question",
    AbstainReason.NO_CANDIDATE: "no passage it read answers the question",
    AbstainReason.NO_QUOTE: "no quote backs what it would have answered",
    AbstainReason.LOW_CONFIDENCE: "it is not sure enough of its best answer",
}
"""Why there is no answer."""


def confidence_in_words(response: AnswerResponse) -> str:
    """``confidence 0.87``, and what that is not where no fit applies."""
    score = f"confidence {response.confidence:.2f}"
    if response.short_answer not in (None, response.answer):
        score += f" in \N{LEFT DOUBLE QUOTATION MARK}{response.short_answer}\N{RIGHT DOUBLE QUOTATION MARK}"
    if response.calibration is None or not response.calibration.applies:
        score += f" (a score, not a probability{_elsewhere(response)})"
    return score


def _elsewhere(response: AnswerResponse) -> str:
    seen = None if response.calibration is None else response.calibration.elsewhere
    return (
        ""
        if seen is None
        else f"; on other documents {seen.right} of {seen.given} with {seen.min_confidence:g} or more were right"
    )
