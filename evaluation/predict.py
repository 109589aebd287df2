"""Predicting: every question answered once, the whole trace written to a file, one line each."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from app.answering.pipeline import Pipeline
from app.answering.serialise import trace_as_json
from evaluation.questions import Question
from retriever.errors import LoccitError
from retriever.progress import progress

PREDICTIONS_FILE = "predictions.jsonl"
RUN_FILE = "run.json"


def predict(
    questions: Sequence[Question],
    pipeline: Pipeline,
    description: Mapping[str, Any],
    out: Path,
    console: Console,
) -> None:
    """Write ``predictions.jsonl`` and ``run.json`` into ``out``; a run that was interrupted is continued.

    Answers are given whatever their confidence, so that thresholds can be applied when scoring.
    ``description``: the settings, models and index that answer, kept in ``run.json``.

    Raises:
        LoccitError: when ``out`` holds a run with other settings, models or index.
    """
    out.mkdir(parents=True, exist_ok=True)
    _claim(out, description)
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


def read_predictions(run: Path) -> list[dict[str, Any]]:
    """The lines of a run.

    Raises:
        LoccitError: when there is no run in this folder.
    """
    try:
        text = (run / PREDICTIONS_FILE).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise LoccitError(
            f"{run} holds no predictions; make them with `loccit evaluate predict own --out {run}`."
        ) from error
    return [json.loads(line) for line in text.split("\n") if line]


def _claim(out: Path, description: Mapping[str, Any]) -> None:
    path = out / RUN_FILE
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != description:
        raise LoccitError(
            f"{out} holds a run with other settings, models or index; give another --out, or delete it."
        )
    path.write_text(json.dumps(description, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _done(path: Path) -> set[str]:
    """Ids of the questions answered already; a last line cut short by an interruption is dropped."""
    if not path.exists():
        return set()
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_text("".join(f"{line}\n" for line in lines[:-1]), encoding="utf-8")
    return {json.loads(line)["id"] for line in lines[:-1]}
