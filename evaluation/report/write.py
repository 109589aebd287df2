"""The report of a run: written into its folder, its tables and headline on a terminal."""

from pathlib import Path

from rich.console import Console

from common.terminal_text import plain, plain_lines
from evaluation.report import tables
from evaluation.report.files import HTML_FILE, write_report
from evaluation.report.headline import headline
from evaluation.report.terminal import show
from evaluation.score import report_of, scored


def report_run(run: Path, *, min_confidence: float | None, thresholds: bool) -> None:
    """Score a run at this threshold, its own unless given. ``thresholds``: also show what each would give.

    Raises:
        LoccitError: when the run is missing or damaged.
    """
    of_run = scored(run)
    report = report_of(
        of_run, min_confidence=of_run.min_confidence if min_confidence is None else min_confidence
    )
    write_report(of_run, report, run)
    show(tables.tables(report) + (tables.thresholds(report) if thresholds else []), Console())
    console = Console(highlight=False, soft_wrap=True)
    console.print()
    console.print(plain_lines(headline(report)))
    console.print(plain(f"The whole report: {run / HTML_FILE}"))
