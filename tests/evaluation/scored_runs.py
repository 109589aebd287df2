"""A run scored: what its tests look at."""

import json

from evaluation.score import report_of, scored


def report(folder, min_confidence=0.0):
    """The figures over all questions, whichever side they are on."""
    return report_of(scored(folder), min_confidence=min_confidence)["sides"]["all"]


def outcomes(folder):
    return {one.id: one for one in scored(folder).outcomes}


def rewritten(folder, change):
    """The run with every line changed."""
    path = folder / "predictions.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        change(line)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder
