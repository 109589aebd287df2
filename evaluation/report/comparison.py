"""A comparison of runs as tables."""

from evaluation.compare import Column, Comparison, Figure
from evaluation.report.tables import Table, number, percent

_FIGURES = (
    ("exact_match", "exact match"),
    ("candidate_exact_match", "best choice"),
    ("f1", "F1"),
    ("correct_and_supported", "exact match and supported"),
    ("supported", "supported"),
    ("quote_has_answer", "quote has answer"),
    ("gold_document_cited", "gold document cited"),
    ("answerable_from_hits", "answer in hits"),
    ("gold_document_retrieved", "gold document in hits"),
)
_LONG = (
    ("rouge_l", "ROUGE-L"),
    ("citation_precision", "citation precision"),
    ("citation_recall", "citation recall"),
)
# narrow enough for a terminal; the others are told in the differences
_SHOWN = (
    ("exact_match", "exact match"),
    ("candidate_exact_match", "best choice"),
    ("f1", "F1"),
    ("correct_and_supported", "exact match, support"),
    ("quote_has_answer", "quote has answer"),
    ("gold_document_cited", "gold cited"),
    ("gold_document_retrieved", "gold in hits"),
)
_NOTE = (
    "In percent, but for AURC (risk 0 to 1) and milliseconds. No threshold: every answer counts, no answer is wrong. "
    "AURC: of right and supported, or of right where quotes are not the point; right: a known answer stands in the "
    "answer. Best choice: exact match if the best cited candidate were always chosen. Milliseconds are missing "
    "where those of a stage are not known. An asterisk: differs from the first run beyond chance (0 lies outside the "
    "95% interval of the paired bootstrap)."
)
_LONG_NOTE = (
    "In percent, of the questions that have long answers; left unanswered, one counts as 0. ROUGE-L: F1 with the "
    "nearest of the annotators' answers. Citation precision: the share of citations that overlap a sentence the "
    "annotators chose; recall: the share of those sentences that are cited by half or more."
)


def comparison_tables(comparison: Comparison) -> list[Table]:
    """What the runs are, their figures side by side, and how each differs from the first, with 95% intervals.

    Where there are long answers, their figures have a table of their own.
    """
    baseline, *others = comparison.columns
    named = tuple((column.name, column.meaning) for column in comparison.columns)
    values = tuple(_row(column) for column in comparison.columns)
    differences = tuple(row for column in others for row in _differences(column))
    return [
        Table("Runs", ("run", "what it is"), named),
        Table(
            f"{comparison.questions} answerable questions, {comparison.side}",
            ("run", *(heading for _, heading in _SHOWN), "AURC", "ms, mean"),
            values,
            _NOTE,
        ),
        *_long_answers(comparison),
        Table(
            f"Difference from {baseline.name}, in points (AURC: as it is), with 95% interval",
            ("run", "figure", "difference", "low", "high"),
            differences,
        ),
    ]


def _long_answers(comparison: Comparison) -> list[Table]:
    """One table with the runs whose long answers are scored; none where there are no such runs."""
    scored = [column for column in comparison.columns if column.figures["rouge_l"].value is not None]
    if not scored:
        return []
    rows = tuple((column.name, *(_percent(column.figures[name]) for name, _ in _LONG)) for column in scored)
    return [
        Table(
            f"Long answers, {comparison.side}", ("run", *(heading for _, heading in _LONG)), rows, _LONG_NOTE
        )
    ]


def _row(column: Column) -> tuple[str, ...]:
    figures = column.figures
    milliseconds = figures["milliseconds"].value
    return (
        column.name,
        *(_percent(figures[name]) for name, _ in _SHOWN),
        number(figures["aurc"].value) + _star(figures["aurc"]),
        "-" if milliseconds is None else f"{milliseconds:.0f}",
    )


def _differences(column: Column) -> list[tuple[str, ...]]:
    return [
        (column.name, meaning, *(shown(value) for value in (figure.difference, figure.low, figure.high)))
        for name, meaning, shown in (
            *((*figure, _points) for figure in _FIGURES + _LONG),
            ("aurc", "AURC", _signed),
        )
        if (figure := column.figures[name]).difference is not None
    ]


def _percent(figure: Figure) -> str:
    return percent(figure.value).rstrip("%") + _star(figure)


def _star(figure: Figure) -> str:
    return "*" if figure.differs else ""


def _points(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:+.1f}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f}"
