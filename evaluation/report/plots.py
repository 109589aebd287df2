"""The plots of a report: figures of matplotlib, and the SVG that a page holds."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

import matplotlib
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from evaluation.report.tables import claimed, number, percent

Json = dict[str, Any]

# Matplotlib draws in colours that stand for what the page decides, so that one SVG serves light and dark.
_INK, _MUTED, _GRID, _FIRST, _SECOND = "#010101", "#010102", "#010103", "#010104", "#010105"
_ON_THE_PAGE: Mapping[str, str] = {
    _INK: "var(--plot-ink, #222222)",
    _MUTED: "var(--plot-muted, #6b6b6b)",
    _GRID: "var(--plot-grid, #dddddd)",
    _FIRST: "var(--plot-first, #2459a9)",
    _SECOND: "var(--plot-second, #b4540a)",
}
_SIZE = (5.0, 3.5)  # inches: two stand side by side on the page, their text as large as the page's own


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot for a page. ``svg`` is None where there is nothing to draw, and the caption says so."""

    name: str
    title: str
    caption: str
    svg: str | None


def plots(report: Json) -> list[Plot]:
    """Every plot of a report, in the order a reader wants them."""
    return [
        _plot("risk-coverage", "Risk by coverage", figure_risk_coverage, _caption_risk_coverage, report),
        _plot(
            "reliability", "Reliability of the confidence", figure_reliability, _caption_reliability, report
        ),
        _plot("recall", "Recall of retrieval", figure_recall, _caption_recall, report),
        _plot("latency", "Latency by stage", figure_latency, _caption_latency, report),
    ]


def figure_risk_coverage(report: Json) -> Figure | None:
    """Share wrong among the most confident answers by the share of questions answered; None of nothing.

    With the line that a random order would give, and the point that the threshold chooses.
    """
    curve = report["curves"]["risk_coverage"]
    if not curve:
        return None
    figure, axes = _axes("coverage: share of questions answered", f"risk: share not {claimed(report)}")
    coverages, risks = zip(*curve, strict=True)
    axes.plot(coverages, risks, color=_FIRST, label=f"by confidence: AURC {number(report['aurc'])}")
    random = risks[-1]
    axes.plot((0, 1), (random, random), "--", color=_MUTED, label=f"in a random order: {number(random)}")
    given = report["right_of_answered"]
    if given is not None:
        label = f"at confidence {report['min_confidence']:g}: {number(1 - given)}"
        axes.plot([report["answered"]], [1 - given], "o", color=_SECOND, label=label)
    _shares(axes)
    _legend(figure)
    return figure


def figure_reliability(report: Json) -> Figure | None:
    """Share right by mean confidence, bin by bin, and the diagonal of honest confidence; None of nothing."""
    bins = report["curves"]["reliability"]
    if not bins:
        return None
    figure, axes = _axes("mean confidence", f"share: {claimed(report)}")
    axes.plot((0, 1), (0, 1), "--", color=_MUTED, label="as often right as claimed")
    most = max(point["count"] for point in bins)
    axes.scatter(
        [point["confidence"] for point in bins],
        [point["accuracy"] for point in bins],
        s=[60 * point["count"] / most for point in bins],  # area by count
        color=_FIRST,
        zorder=2,
        clip_on=False,
        label="answers of similar confidence",
    )
    _shares(axes)
    _legend(figure)
    return figure


def figure_recall(report: Json) -> Figure | None:
    """Share of questions with an answer, or the gold document, among the first k; None of nothing.

    With a line at the number of passages that are retrieved for a question.
    """
    drawn = [
        ("a passage with the answer", report["answer_recall"], "o-", _FIRST),
        ("the gold document", report["gold_document_recall"], "s--", _SECOND),
    ]
    known = [line for line in drawn if any(share is not None for share in line[1].values())]
    if not known:
        return None
    figure, axes = _axes("passages of the ranking (k)", "share of questions with it")
    axes.set_xscale("log")
    for label, recall, style, color in known:
        points = [(int(k), share) for k, share in recall.items() if share is not None]
        axes.plot(*zip(*points, strict=True), style, color=color, label=label, markersize=4)
    top_k = _top_k(report)
    axes.axvline(top_k, linestyle=":", color=_MUTED, label=f"{top_k} are retrieved")
    cuts = [int(k) for k in report["answer_recall"]]
    axes.set_xticks(cuts, labels=[str(k) for k in cuts])
    axes.minorticks_off()
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    _legend(figure)
    return figure


def figure_latency(report: Json) -> Figure | None:
    """Milliseconds by stage: bars to the median, whiskers to the 95th percentile; None of nothing."""
    stages = report["latency_ms"]
    if not stages:
        return None
    figure, axes = _axes("milliseconds", "")
    middle = [spread["p50"] for spread in stages.values()]
    high = [spread["p95"] for spread in stages.values()]
    places = range(len(stages))
    colors = [_SECOND if stage == "total" else _FIRST for stage in stages]
    axes.barh(places, middle, height=0.6, color=colors)
    axes.hlines(places, middle, high, color=_INK, linewidth=1)
    axes.plot(high, places, "|", color=_INK)
    axes.set_yticks(places, labels=list(stages), parse_math=False)
    axes.invert_yaxis()
    for place, end in zip(places, high, strict=True):
        axes.annotate(
            f"{_milliseconds(middle[place])} ({_milliseconds(end)})",
            (end, place),
            (5, 0),
            textcoords="offset points",
            va="center",
            color=_INK,
            fontsize=8,
        )
    axes.set_xlim(0, max(high) * 1.3 or 1)
    axes.grid(visible=False, axis="y")
    return figure


def svg(figure: Figure, *, name: str, label: str) -> str:
    """The figure as an SVG element, the same bytes every time: ``name`` starts every id, ``label`` names it."""
    drawn = StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    text = drawn.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'((?: id="|="#|url\(#))', rf"\g<1>{name}-", text)
    for drawn_in, meant in _ON_THE_PAGE.items():
        text = text.replace(drawn_in, meant)
    box = re.search(r'viewBox="[^"]*"', text)
    body = re.search(r"<svg\b[^>]*>(.*)</svg>", text, flags=re.DOTALL)
    if box is None or body is None:
        raise AssertionError("matplotlib drew no <svg> with a viewBox")
    return f'<svg {box[0]} role="img" aria-label="{escape(label)}">{body[1].strip()}</svg>'


def _plot(
    name: str,
    title: str,
    draw: Callable[[Json], Figure | None],
    caption: Callable[[Json], str],
    report: Json,
) -> Plot:
    figure = draw(report)
    if figure is None:
        return Plot(name, title, _NOTHING[name], None)
    told = caption(report)
    return Plot(name, title, told, svg(figure, name=name, label=f"{title}. {told}"))


_NOTHING = {
    "risk-coverage": "No question has its answer in the index, so there is no risk to draw.",
    "reliability": "No question was answered, so there is no confidence to check.",
    "recall": "There is no ranking to judge: the questions bring their documents, or the index is gone.",
    "latency": "No stage was timed.",
}


def _caption_risk_coverage(report: Json) -> str:
    return (
        "The questions are answered from the most confident down: a curve below the dashed line means that "
        f"confidence tells right from wrong. AURC {number(report['aurc'])} is the mean of its points, lower is better."
    )


def _caption_reliability(report: Json) -> str:
    counts = [point["count"] for point in report["curves"]["reliability"]]
    least, most = min(counts), max(counts)
    each = str(most) if least == most else f"{least} to {most}"
    low, high = report["ece_band"]
    calibrated = report["ece"] <= high
    verdict = (
        "so nothing speaks against calibration" if calibrated else "so this confidence is no probability"
    )
    return (
        f"Points: {each} {'answer' if most == 1 else 'answers'} each; on the diagonal the share ({claimed(report)}) "
        f"equals the confidence. ECE {number(report['ece'])}; perfect calibration would show {number(low)} to "
        f"{number(high)} (95%), {verdict}."
    )


def _caption_recall(report: Json) -> str:
    told = f"The first {_top_k(report)} passages are retrieved for a question."
    if report["answerable_from_hits"] is not None:
        share = percent(report["answerable_from_hits"])
        told += f" An answer stands in them for {share} of the questions: the ceiling of whatever reads them."
    return told


def _caption_latency(report: Json) -> str:  # noqa: ARG001
    return (
        "Bars: the median; whiskers: the 95th percentile, in brackets. As the stages took when they were "
        "computed, whatever else the machine did."
    )


def _milliseconds(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _top_k(report: Json) -> int:
    return int(report["run"]["settings"]["top_k"])


def _axes(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x, color=_INK)
    axes.set_ylabel(y, color=_INK)
    axes.tick_params(colors=_INK, labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(_MUTED)
    axes.grid(color=_GRID, linewidth=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _shares(axes: Axes) -> None:
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))


def _legend(figure: Figure) -> None:
    """Above the axes, where it hides no data."""
    figure.legend(loc="outside upper left", frameon=False, labelcolor=_INK, fontsize=9)
