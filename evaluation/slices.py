"""Parts of a question set: a side, a fixed sample, and the same questions without what answers them."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from common.errors import InvalidRequestError, LoccitError
from evaluation.questions import Question, Side, side_of

WITHOUT_GOLD = "without-gold"


def chosen(
    questions: Sequence[Question], *, side: str | None, sample: int | None, without_gold: bool
) -> list[Question]:
    """The questions of this side, of those a sample, each also without its gold document; None: all of them.

    Raises:
        LoccitError: when there is no such side or nothing on it, or a question names no gold document and has to.
    """
    kept = questions if side is None else on_side(questions, _side(side))
    if side is not None and not kept:
        raise InvalidRequestError(
            f"No question is on the side {side}; leave out --side, or give more questions."
        )
    kept = kept if sample is None else sampled(kept, sample)
    return with_unanswerable(kept) if without_gold else list(kept)


def on_side(questions: Sequence[Question], side: Side) -> list[Question]:
    """The questions of one side, in their order."""
    return [question for question in questions if side_of(question.question) is side]


def _side(name: str) -> Side:
    try:
        return Side(name)
    except ValueError as error:
        raise InvalidRequestError(f"There is no side {name!r}; give {' or '.join(Side)}.") from error


def sampled(questions: Sequence[Question], count: int) -> list[Question]:
    """``count`` of the questions (all, when there are fewer), in their order, the same ones every time.

    They are those whose text has the lowest hash, so a sample of a larger number holds that of a smaller one.
    """
    lowest = set(sorted(questions, key=lambda question: _number(question.question))[:count])
    return [question for question in questions if question in lowest]


def with_unanswerable(questions: Sequence[Question]) -> list[Question]:
    """The questions, each followed by itself as it is asked without its gold document.

    Raises:
        LoccitError: when a question names no gold document.
    """
    for question in questions:
        if question.gold_document_id is None:
            raise LoccitError(
                f"The question {question.id} names no gold_document_id, so it cannot be asked without its gold "
                "document; give questions that name one, or do not ask for it."
            )
    return [
        asked
        for question in questions
        for asked in (question, replace(question, id=f"{question.id}/{WITHOUT_GOLD}", kind=WITHOUT_GOLD))
    ]


def _number(text: str) -> str:
    return hashlib.sha256(f"loccit-sample-1:{text.strip().lower()}".encode()).hexdigest()
