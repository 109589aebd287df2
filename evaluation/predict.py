"""Predicting: every question answered once, the whole trace written to a file, one line each."""

import fcntl
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console

from app.answering.pipeline import Pipeline
from app.answering.trace_json.writing import trace_as_json
from common.errors import LoccitError
from common.files import cut_half_line, whole_file
from common.progress import progress
from evaluation.question_sets.question import question_as_json
from evaluation.questions import Question, sha256_of_questions
from evaluation.replay import NOTHING, Replay
from evaluation.run_folder import (
    PREDICTIONS_FILE,
    RUN_FILE,
    PredictionLine,
    read_description,
    read_predictions,
)

RANKING_DEPTH = 100


def predict(
    questions: Sequence[Question],
    pipeline_for: Callable[[Question], Pipeline],
    description: Mapping[str, Any],
    out: Path,
    console: Console,
    *,
    replay: Replay = NOTHING,
) -> None:
    """Write ``predictions.jsonl`` and ``run.json`` into ``out``; a run that was interrupted is continued.

    Answers are given whatever their confidence, so that thresholds can be applied when scoring. A line holds
    the question, the trace, and the ``ranking``: the places of the best 100 passages (see ``_ranking``).
    ``description``: the settings, models and index that answer, kept in ``run.json``
    with the number and digest of the questions. ``replay``: stages taken over from another run.

    Raises:
        LoccitError: when ``out`` holds a run with other settings, models, index or questions, or a damaged one, or
            another process writes to it.
    """
    out.mkdir(parents=True, exist_ok=True)
    digest = sha256_of_questions(questions)
    _claim(out, {**description, "asked": len(questions), "questions_sha256": digest})
    with (out / PREDICTIONS_FILE).open("a", encoding="utf-8") as file:
        _lock(file, out)
        done = _done(out)
        waiting = [question for question in questions if question.id not in done]
        with progress(console, "Answering questions", total=len(waiting)) as advance:
            for question in waiting:
                line = _line(question, pipeline_for(question), replay)
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
                file.flush()
                advance()


def _line(question: Question, pipeline: Pipeline, replay: Replay) -> PredictionLine:
    options = replace(pipeline.options, min_confidence=0.0)
    recorded = replay.line(question)
    if recorded is None:
        trace = trace_as_json(pipeline.answer(question.question, options))
        ranking = None if question.documents else _ranking(question, pipeline)
    else:
        answered = replay.over(pipeline, recorded).answer(question.question, options)
        trace = replay.as_json(answered, recorded)
        ranking = recorded["ranking"]  # retrieval is the first stage to be taken over
    return {**question_as_json(question), "ranking": ranking, "trace": trace}


def _ranking(question: Question, pipeline: Pipeline) -> list[tuple[str, int, int]]:
    """Document id, start and end of the best passages, best first: deeper than what is read, for recall@k."""
    hits = pipeline.retriever.retrieve(question.question, k=RANKING_DEPTH)
    return [(hit.passage.doc_id, hit.passage.span.start, hit.passage.span.end) for hit in hits]


def _claim(out: Path, description: Mapping[str, Any]) -> None:
    path = out / RUN_FILE
    text = json.dumps(description, indent=2, ensure_ascii=False) + "\n"
    if not path.exists():
        if (out / PREDICTIONS_FILE).exists():
            raise LoccitError(
                f"{out} holds predictions without the {RUN_FILE} that says what made them; give another folder, "
                "or delete it."
            )
        with whole_file(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
    elif read_description(out) != json.loads(text):
        theirs, ours = read_description(out), json.loads(text)
        other = ", ".join(name for name in {**theirs, **ours} if theirs.get(name) != ours.get(name))
        raise LoccitError(
            f"{out} holds a run with other settings, models, index or questions ({other}); give another folder, "
            "or delete it."
        )


def _lock(file: TextIO, out: Path) -> None:
    """Keep other processes from writing to the file as long as it is open."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise LoccitError(
            f"Another process is answering questions into {out}; wait for it, or give another folder."
        ) from error
    except OSError:  # there are no such locks here
        return


def _done(out: Path) -> set[str]:
    """Ids of the questions answered already; a last line cut short by an interruption is cut off."""
    cut_half_line(out / PREDICTIONS_FILE)
    return {line["id"] for line in read_predictions(out)}
