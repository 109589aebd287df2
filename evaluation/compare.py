"""Runs side by side on the questions they share, with how sure the differences are."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from common.errors import InvalidRequestError
from evaluation.metrics.resampling import bootstrap, paired_difference
from evaluation.metrics.selective import aurc
from evaluation.metrics.types import Floats, Rows
from evaluation.outcome import Outcome
from evaluation.questions import Side
from evaluation.score import Scored

SAMPLES = 2_000

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of one run, and how much it differs from the first run's: None where it cannot be said.

    ``low``, ``high``: the 95% interval of the difference, the same questions drawn for both (paired bootstrap).
    """

    value: float | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def differs(self) -> bool:
        """Whether chance alone is a poor explanation: 0 lies outside the interval."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True)
class Column:
    """One run: its name, what it is, and its figures by name."""

    name: str
    meaning: str
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs on the same answerable questions, ``questions`` of them; the first is what the others differ from."""

    questions: int
    side: str
    columns: tuple[Column, ...]


def compare(runs: Mapping[Path, Scored]) -> Comparison:
    """The runs on the answerable questions of the test side that all of them answered, thresholds aside.

    Where they share none of that side, on all the questions they share.

    Raises:
        InvalidRequestError: when there are fewer than two runs, or they share no answerable question.
    """
    if len(runs) < 2:
        raise InvalidRequestError("One run cannot be compared; give two or more different ones.")
    asked = [_answerable(run) for run in runs.values()]
    shared = [key for key in asked[0] if all(key in outcomes for outcomes in asked)]
    if not shared:
        raise InvalidRequestError(
            "The runs share no answerable question; predict the same questions with each of them."
        )
    test = [key for key in shared if asked[0][key].side is Side.TEST]
    chosen, side = (test, Side.TEST.value) if test else (shared, "all")
    outcomes = [[of_run[key] for key in chosen] for of_run in asked]
    columns = [
        _column(name, run, own, outcomes[0], first=not place)
        for place, (name, run, own) in enumerate(
            zip(_names(list(runs)), runs.values(), outcomes, strict=True)
        )
    ]
    return Comparison(len(chosen), side, tuple(columns))


def _answerable(run: Scored) -> dict[tuple[str, str], Outcome]:
    """By id and text: ids such as line-1 are those of other questions in other files."""
    return {
        (outcome.id, line["question"]): outcome
        for line, outcome in zip(run.lines, run.outcomes, strict=True)
        if outcome.answerable
    }


def _names(runs: Sequence[Path]) -> list[str]:
    """What tells the runs apart: the names of their folders, or else their whole paths."""
    names = [run.resolve().name for run in runs]
    return names if len(set(names)) == len(names) else [str(run) for run in runs]


def _column(
    name: str,
    run: Scored,
    outcomes: Sequence[Outcome],
    before: Sequence[Outcome],
    *,
    first: bool,
) -> Column:
    means = {
        figure: _mean_figure(
            [value(outcome) for outcome in outcomes], [value(outcome) for outcome in before], first=first
        )
        for figure, value in MEANS.items()
    }
    ranked = {"aurc": _aurc_figure(outcomes, before, first=first)}
    timed = all("total" in outcome.timings_ms for outcome in outcomes)
    milliseconds = Figure(fmean(outcome.timings_ms["total"] for outcome in outcomes) if timed else None)
    return Column(
        name,
        run.description["configuration"]["meaning"],
        {**means, **ranked, "milliseconds": milliseconds},
    )


MEANS: Mapping[str, Callable[[Outcome], float | bool | None]] = {
    "exact_match": lambda outcome: outcome.exact_match,
    "candidate_exact_match": lambda outcome: outcome.candidate_exact_match,
    "f1": lambda outcome: outcome.f1,
    "correct_and_supported": lambda outcome: outcome.correct_and_supported if outcome.quoted else None,
    "supported": lambda outcome: outcome.supported if outcome.quoted else None,
    "quote_has_answer": lambda outcome: outcome.quote_has_answer if outcome.quoted else None,
    "gold_document_cited": lambda outcome: outcome.gold_cited if outcome.quoted else None,
    "answerable_from_hits": lambda outcome: outcome.answer_in_hits,
    "gold_document_retrieved": lambda outcome: outcome.gold_in_hits,
    "rouge_l": lambda outcome: None if outcome.long is None else outcome.long.rouge_l,
    "citation_precision": lambda outcome: None if outcome.long is None else outcome.long.citation_precision,
    "citation_recall": lambda outcome: None if outcome.long is None else outcome.long.citation_recall,
}


def _mean_figure(
    values: Sequence[float | bool | None], baseline: Sequence[float | bool | None], *, first: bool
) -> Figure:
    pairs = [
        (float(theirs), float(own))
        for theirs, own in zip(baseline, values, strict=True)
        if theirs is not None and own is not None
    ]
    own = [float(value) for value in values if value is not None]
    if not own:
        return Figure(None)
    if first or not pairs:
        return Figure(fmean(own))
    difference = paired_difference(
        [before for before, _ in pairs], [after for _, after in pairs], samples=SAMPLES
    )
    assert difference is not None  # there are pairs
    return Figure(fmean(own), difference.mean, difference.low, difference.high)


def _aurc_figure(outcomes: Sequence[Outcome], baseline: Sequence[Outcome], *, first: bool) -> Figure:
    own, theirs = _confidences(outcomes), _confidences(baseline)
    value = aurc(*own)
    alike = outcomes[0].quoted is baseline[0].quoted  # or else right means another thing
    if first or value is None or not alike:
        return Figure(value)

    def difference(rows: Rows) -> float | None:
        after, before = aurc(own[0][rows], own[1][rows]), aurc(theirs[0][rows], theirs[1][rows])
        return None if after is None or before is None else after - before

    everything = np.arange(len(outcomes), dtype=np.int64)
    interval = bootstrap(difference, n=len(outcomes), samples=SAMPLES)
    return Figure(value, difference(everything), *(interval or (None, None)))


def _confidences(outcomes: Sequence[Outcome]) -> tuple[Floats, NDArray[np.bool_]]:
    """Confidences, and whether right and supported; each of shape (questions,)."""
    return (
        np.array([outcome.confidence for outcome in outcomes], dtype=np.float64),
        np.array([outcome.right for outcome in outcomes], dtype=np.bool_),
    )
