"""What was measured of each system, side by side, as Markdown."""

import json
from pathlib import Path
from typing import Any

from evaluation.questions import load_questions
from evaluation.system_answers import documents_in, read_answers
from evaluation.system_score import system_score

Json = dict[str, Any]

COLUMNS = (
    "system",
    "questions",
    "passages/s indexed",
    "processor s/answer",
    "wall s/answer",
    "peak MB",
    "exact match",
    "a known answer in it",
    "exact match of answered",
    "exact match if all are answered",
    "quotes verbatim",
    "words in a quote",
    "unanswerable abstained",
    "AURC",
)


def table(runs: Path, *, index: Path | None = Path("data/indexes/vital-articles")) -> str:
    """A row for each system that has answers in this folder."""
    find = None if index is None else documents_in(index)
    questions = load_questions("own")
    rows = []
    for path in sorted(runs.glob("*.jsonl")):
        answers = read_answers(path, questions)
        report = system_score(path.stem, answers, questions, find).report
        rows.append(
            _row(
                path.stem,
                report,
                _json(runs / f"{path.stem}.index.json"),
                _json(runs / f"{path.stem}.answers.json"),
            )
        )
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(name: str, report: Json, indexing: Json, answering: Json) -> tuple[str, ...]:
    figures, quotes, seconds = report["sides"]["all"], report["quotes"], report["seconds"]
    rate = indexing["passages"] / indexing["cpu_s"] if indexing else None
    return (
        name,
        f"{figures['questions']} ({figures['answerable']} answerable)",
        _number(rate, 0),
        _number(seconds.get("cpu_s"), 2),
        _number(seconds.get("wall_s"), 2),
        _number(answering.get("peak_mb"), 0),
        _percent(figures["exact_match"]),
        _percent(figures["contains_answer"]),
        _percent(figures["exact_match_of_answered"]),
        _percent(figures["exact_match_without_threshold"]),
        "-" if not quotes["looked_up"] else f"{quotes['verbatim']} of {quotes['looked_up']}",
        _number(quotes["words_median"], 0),
        _percent(figures["abstained_unanswerable"]),
        _number(figures["aurc_exact_match"], 3),
    )


def _json(path: Path) -> Json:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}%"
