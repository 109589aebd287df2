"""A report as tables on a terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table

from evaluation.questions import ANSWERABLE

Json = dict[str, Any]

_FIGURES = (
    ("exact_match", "exact match, abstentions counted as wrong"),
    ("f1", "F1, likewise"),
    ("exact_match_of_answered", "exact match of the answers given"),
    ("exact_match_without_threshold", "exact match if it never abstained"),
    ("quote_has_answer", "quote has the answer"),
    ("quote_verbatim", "quote stands verbatim in the stored document"),
    ("article_retrieved", "right article among the hits"),
    ("article_cited", "right article cited"),
)

_CONFIDENCE = (
    ("ece", "ECE: 10 bins, right = exact match"),
    ("aurc", "AURC of the answerable"),
)
_THRESHOLD_FIGURES = (
    ("answered", "answered"),
    ("exact_match", "exact match"),
    ("exact_match_of_answered", "of answered"),
    ("abstained_unanswerable", "unanswerable abstained"),
)


def show(report: Json, console: Console) -> None:
    """Print the figures of a report: quality, abstention by kind of question, and the confidence."""
    sides = report["sides"]
    console.print(f"min_confidence {report['min_confidence']}", highlight=False)
    quality = Table("answerable questions", "all", "calibrate", "test", box=None)
    for name, meaning in _FIGURES:
        quality.add_row(meaning, *(_percent(one[name]) for one in (report, *sides.values())))
    console.print(quality)
    console.print()
    abstained = Table("share abstained", "all", "calibrate", "test", box=None)
    for kind in report["abstained"]:
        name = kind if kind == ANSWERABLE else f"unanswerable: {kind}"
        values = (one["abstained"].get(kind) for one in (report, *sides.values()))
        abstained.add_row(name, *map(_percent, values))
    abstained.add_row(
        "unanswerable, all", *(_percent(one["abstained_unanswerable"]) for one in (report, *sides.values()))
    )
    console.print(abstained)
    console.print()
    confidence = Table("confidence, lower is better", "all", "calibrate", "test", box=None)
    for name, meaning in _CONFIDENCE:
        confidence.add_row(meaning, *(_number(one[name]) for one in (report, *sides.values())))
    console.print(confidence)
    console.print("The confidence is a score that orders answers; it is not calibrated.", highlight=False)


def show_thresholds(report: Json, console: Console) -> None:
    """Print what each threshold would give, one table for either side of the questions."""
    for side in report["sides"]:
        table = Table("min_confidence", box=None)
        for _, heading in _THRESHOLD_FIGURES:
            table.add_column(heading, justify="right")
        for row in report["thresholds"]:
            cells = [_percent(row[side][name]) for name, _ in _THRESHOLD_FIGURES]
            table.add_row(f"{row['min_confidence']:.2f}", *cells)
        console.print(f"\n{side}", highlight=False)
        console.print(table)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}%"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
