"""A run on disk: a folder with the predictions and the description of what made them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

from app.answering.trace_json import shapes
from app.answering.trace_json.reading import fill_in
from common.errors import LoccitError
from evaluation.question_sets.question import ADDED_FIELDS, QuestionJson

PREDICTIONS_FILE = "predictions.jsonl"
RUN_FILE = "run.json"

_DESCRIBED = {"settings", "generation", "configuration", "stages", "min_confidence"}

Json = dict[str, Any]


class PredictionLine(QuestionJson):
    """One line of a run: the question, and what happened to it.

    ``ranking``: document id, start and end of the best passages, best first. It goes deeper than the trace's hits.
    None where the question brought its documents.
    """

    ranking: list[tuple[str, int, int]] | None
    trace: shapes.Trace


_KEYS = PredictionLine.__required_keys__ - ADDED_FIELDS


def read_predictions(run: Path) -> list[PredictionLine]:
    """The lines of a run. What an earlier version did not write yet is filled in.

    Raises:
        LoccitError: when there is no run in this folder, a line of it is damaged, or two are of the same question.
    """
    path = run / PREDICTIONS_FILE
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError as error:
        raise LoccitError(
            f"{run} holds no predictions; make them with `loccit evaluate predict own --out {run}`."
        ) from error
    except OSError as error:
        raise LoccitError(f"{path} cannot be read ({error}).") from error
    predictions = [
        (number, _prediction(line, path, number)) for number, line in enumerate(lines, start=1) if line
    ]
    _require_one_each(predictions, path)
    return [prediction for _, prediction in predictions]


def read_description(run: Path) -> Json:
    """What ``run.json`` keeps of a run: the settings, models and index that answered, and which questions.

    Raises:
        LoccitError: when it is missing or not a JSON object.
    """
    path = run / RUN_FILE
    try:
        description = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise LoccitError(
            f"{path} cannot be read ({error}); where there are predictions beside it, make them again into another "
            "--out."
        ) from error
    if not isinstance(description, dict):
        raise LoccitError(f"{path} holds no JSON object; make the run again into another --out.")
    if missing := _DESCRIBED - description.keys():
        raise LoccitError(
            f"{path} lacks {', '.join(sorted(missing))}: another version of Loccit made this run; make it again "
            "into another --out, or delete this folder."
        )
    return description


def _prediction(line: bytes, path: Path, number: int) -> PredictionLine:
    try:
        record = json.loads(line.decode("utf-8"))
    except ValueError as error:  # UnicodeDecodeError is one too
        raise _damaged(path, number) from error
    if not isinstance(record, dict) or not record.keys() >= _KEYS:
        raise _damaged(path, number)
    record.setdefault("selected_sentences", [])
    try:
        fill_in(record["trace"])
    except (AttributeError, KeyError, TypeError) as error:  # no trace, or a part of one
        raise _damaged(path, number) from error
    return cast(PredictionLine, record)


def _require_one_each(predictions: Iterable[tuple[int, PredictionLine]], path: Path) -> None:
    places: dict[str, int] = {}
    for number, prediction in predictions:
        first = places.setdefault(prediction["id"], number)
        if first != number:
            raise LoccitError(
                f"{path}:{number} answers the question {prediction['id']!r}, as line {first} does; delete one of them."
            )


def _damaged(path: Path, number: int) -> LoccitError:
    return LoccitError(
        f"{path}:{number} is damaged: it is no prediction in UTF-8 JSON; delete the line, and "
        "`loccit evaluate predict` with the same --out answers its question again."
    )
