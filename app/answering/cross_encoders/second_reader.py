"""The strong reader: a larger cross-encoder reads again what the small one found best."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.answering.cross_encoders.reader_model import Judgement, ReaderModel
from app.answering.cross_encoders.trained_reader import (
    TrainedReader,
    broad_in_document,
    in_document,
    judged_passages,
)
from app.answering.limits import PASSAGES_READ_AGAIN
from app.answering.types import Reading
from common.deadline import NO_DEADLINE, Deadline
from common.digest import json_digest
from retriever.types import Hit

_LEAST = 1e-9  # keeps log-odds finite


class SecondReader:
    """Reads the ``passages`` that ``first`` finds most answerable again, with ``model``.

    Their spans are the second reading's, with probabilities shared among them; those of other passages would not
    compare with these, so they have none. Their answerability is between both readings': its log-odds are the mean.
    """

    def __init__(
        self, first: TrainedReader, model: ReaderModel, *, passages: int = PASSAGES_READ_AGAIN
    ) -> None:
        self._first, self._model, self._passages = first, model, passages

    @property
    def sha256(self) -> str:
        """Hex digest of both readers' weights, and of how many passages are read again."""
        return json_digest([self._first.sha256, self._model.sha256, self._passages])

    def read(self, question: str, hits: Sequence[Hit], *, deadline: Deadline = NO_DEADLINE) -> list[Reading]:
        """See ``Reader``. A time that ends during the second reading ends the whole."""
        readings = self._first.read(question, hits, deadline=deadline)
        best, others = readings[: self._passages], readings[self._passages :]
        judged = judged_passages(self._model, question, [reading.hit for reading in best], deadline)
        again = [_again(*pair) for pair in zip(best, judged, strict=True)]
        return sorted(
            [*again, *(replace(reading, spans=()) for reading in others)],
            key=lambda reading: (-reading.answerability, reading.hit.rank),
        )


def _again(first: Reading, second: Judgement) -> Reading:
    odds = (_log_odds(first.answerability) + _log_odds(second.answerability)) / 2
    return Reading(
        first.hit,
        answerability=float(1 / (1 + np.exp(-odds))),
        spans=in_document(first.hit, second),
        broad=broad_in_document(first.hit, second),
    )


def _log_odds(probability: float) -> float:
    kept = min(max(probability, _LEAST), 1 - _LEAST)
    return float(np.log(kept / (1 - kept)))
