"""Predicting: every question answered once, the whole trace written to a file, one line each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from app.answering.pipeline import Pipeline
from app.answering.serialise import trace_as_json
from evaluation.questions import Question, sha256_of_questions
from retriever.errors import LoccitError
from retriever.progress import progress

PREDICTIONS_FILE = "predictions.jsonl"
RUN_FILE = "run.json"

_KEYS = {field.name for field in fields(Question)} | {"trace"}

Json = dict[str, Any]


def predict(
    questions: Sequence[Question],
    pipeline: Pipeline,
    description: Mapping[str, Any],
    out: Path,
    console: Console,
) -> None:
    """Write ``predictions.jsonl`` and ``run.json`` into ``out``; a run that was interrupted is continued.

    Answers are given whatever their confidence, so that thresholds can be applied when scoring.
    ``description``: the settings, models and index that answer, kept in ``run.json``
    with the digest of the questions.

    Raises:
        LoccitError: when ``out`` holds a run with other settings, models, index or questions, or a damaged one.
    """
    out.mkdir(parents=True, exist_ok=True)
    _claim(out, {**description, "questions_sha256": sha256_of_questions(questions)})
    path = out / PREDICTIONS_FILE
    done = _done(path)
    waiting = [question for question in questions if question.id not in done]
    options = replace(pipeline.options, min_confidence=0.0)
    with (
        path.open("a", encoding="utf-8") as file,
        progress(console, "Answering questions", total=len(waiting)) as advance,
    ):
        for question in waiting:
            trace = pipeline.answer(question.question, options)
            line = {**asdict(question), "trace": trace_as_json(trace)}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            advance()


def read_predictions(run: Path) -> list[Json]:
    """The lines of a run.

    Raises:
        LoccitError: when there is no run in this folder, or a line of it is damaged.
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
    return [_prediction(line, path, number) for number, line in enumerate(lines, start=1) if line]


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
            f"{path} cannot be read ({error}); it belongs to the predictions beside it, so make them again "
            "into another --out, or delete this folder."
        ) from error
    if not isinstance(description, dict):
        raise LoccitError(f"{path} holds no JSON object; make the run again into another --out.")
    return description


def _prediction(line: bytes, path: Path, number: int) -> Json:
    try:
        record = json.loads(line.decode("utf-8"))
    except ValueError as error:  # UnicodeDecodeError is one too
        raise _damaged(path, number) from error
    if not isinstance(record, dict) or not record.keys() >= _KEYS:
        raise _damaged(path, number)
    return record


def _damaged(path: Path, number: int) -> LoccitError:
    return LoccitError(
        f"{path}:{number} is damaged: it is no prediction in UTF-8 JSON; delete the line, and "
        "`loccit evaluate predict` with the same --out answers its question again."
    )


def _claim(out: Path, description: Mapping[str, Any]) -> None:
    path = out / RUN_FILE
    text = json.dumps(description, indent=2, ensure_ascii=False) + "\n"
    if not path.exists():
        temporary = out / f"{RUN_FILE}.new"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    elif read_description(out) != json.loads(text):
        raise LoccitError(
            f"{out} holds a run with other settings, models, index or questions; give another --out, "
            "or delete it."
        )


def _done(path: Path) -> set[str]:
    """Ids of the questions answered already; a last line cut short by an interruption is cut off."""
    if not path.exists():
        return set()
    written = path.read_bytes()
    whole = written.rfind(b"\n") + 1
    if whole < len(written):
        with path.open("r+b") as file:
            file.truncate(whole)
    return {line["id"] for line in read_predictions(path.parent)}
