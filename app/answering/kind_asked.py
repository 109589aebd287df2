"""The kind of answer that a question asks for, as its form and its passages' readings have it."""

from collections.abc import Sequence

from app.answering.answer_kind import AnswerKind
from app.answering.options import AnswerLength
from app.answering.text.question_form import TOLD, asks_to_explain, kinds_told_by
from app.answering.types import Reading


def kind_asked(question: str, readings: Sequence[Reading], length: AnswerLength) -> AnswerKind:
    """The likeliest kind by the mean of the readings that say so; what the form tells counts ``TOLD`` times.

    A short one where no reading says, or it is asked for. Who asks to explain (see ``asks_to_explain``) gets sentences.
    """
    told = [reading.broad.kinds for reading in readings if reading.broad is not None]
    if length is AnswerLength.SHORT or not told:
        return AnswerKind.SHORT
    if asks_to_explain(question):
        return AnswerKind.EXPLANATION
    form = kinds_told_by(question)

    def likelihood(kind: AnswerKind) -> float:
        return sum(kinds[kind] for kinds in told) * (TOLD if kind in form else 1.0)

    return max(AnswerKind, key=likelihood)
