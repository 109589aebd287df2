"""Several questions in one request: answered one after the other, each with its own outcome."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from app.http.host import Host
from app.http.invalid_request import sentence_for
from app.http.problems import problem_document
from app.http.wire.answer import QUESTION_SHAPE, QuestionToAnswer
from app.http.wire.responses import BatchItem, BatchResponse, Problem
from common.errors import InvalidRequestError
from retriever.filters import Filter


async def answered_in_turn(questions: Sequence[Any], host: Host, *, allowed: Filter | None) -> BatchResponse:
    """An item for each question, in their order.

    ``allowed``: there are no other documents than those that match it.

    A question gets its place in the queue when the one before it is done, so that other clients' questions come in
    between. Where the queue is full it waits for a place, as long as it may wait for its answer: that others are many
    for a moment costs no question of a batch. Cancelling this withdraws the one under way and asks no more.
    """
    return BatchResponse(items=[await _item(question, host, allowed) for question in questions])


async def _item(question: Any, host: Host, allowed: Filter | None) -> BatchItem:  # noqa: ANN401 - any JSON value
    try:
        asked = _checked(question)
        response = await host.answer(asked.ask(allowed), include=asked.include, patient=True)
    except Exception as error:  # what goes wrong with one question is told in its place
        return BatchItem(problem=Problem.model_validate(problem_document(error)))
    return BatchItem(response=response)


def _checked(question: Any) -> QuestionToAnswer:  # noqa: ANN401
    try:
        return QuestionToAnswer.model_validate(question)
    except ValidationError as error:
        raise InvalidRequestError(sentence_for(error.errors(), QUESTION_SHAPE)) from error
