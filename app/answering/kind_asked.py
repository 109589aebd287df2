"""The kind of answer that a question asks for, as its form and its passages' readings have it."""

from collections.abc import Sequence

from app.answering.answer_kind import AnswerKind
from app.answering.options import AnswerLength
from app.answering.text.question_form import TOLD, kinds_told_by
from app.answering.types import Reading


def kind_asked(question: str, readings: Sequence[Reading], length: AnswerLength) -> AnswerKind:
    """The likeliest kind by the mean of the readings that say so; what the form tells counts ``TOLD`` times.

    A short one where no reading says, or it is asked for. "Why" and "how do I" always get an explanation.
    """
    told = [reading.broad.kinds for reading in readings if reading.broad is not None]
    if length is AnswerLength.SHORT or not told:
        return AnswerKind.SHORT
    form = kinds_told_by(question)
    if AnswerKind.EXPLANATION in form:
        return AnswerKind.EXPLANATION

    def likelihood(kind: AnswerKind) -> float:
        return sum(kinds[kind] for kinds in told) * (TOLD if kind in form else 1.0)

    return max(AnswerKind, key=likelihood)
