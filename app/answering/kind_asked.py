"""The kind of answer that a question asks for, as its passages' readings have it."""

from collections.abc import Sequence

from app.answering.answer_kind import AnswerKind
from app.answering.options import AnswerLength
from app.answering.types import Reading


def kind_asked(readings: Sequence[Reading], length: AnswerLength) -> AnswerKind:
    """The likeliest kind: the mean over the readings that say so; a short one where none does, or it is asked for."""
    told = [reading.broad.kinds for reading in readings if reading.broad is not None]
    if length is AnswerLength.SHORT or not told:
        return AnswerKind.SHORT
    return max(AnswerKind, key=lambda kind: sum(kinds[kind] for kinds in told))
