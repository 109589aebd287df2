import re
import xml.etree.ElementTree as ElementTree

import pytest

from evaluation.report.plots import (
    figure_latency,
    figure_recall,
    figure_reliability,
    figure_risk_coverage,
    plots,
    svg,
)


def drawn(figure):
    """The lines of a figure by what their label starts with: their points, rounded."""
    (axes,) = figure.axes
    return {
        line.get_label().split(":")[0]: [
            (round(float(x), 3), round(float(y), 3)) for x, y in line.get_xydata()
        ]
        for line in axes.get_lines()
    }


def labels(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_risk_curve_is_the_reports_beside_a_random_order_and_the_threshold(report):
    figure = figure_risk_coverage(report)
    assert drawn(figure) == {
        "by confidence": [(0.25, 0.0), (0.5, 0.5), (0.75, 0.333), (1.0, 0.5)],
        "in a random order": [(0, 0.5), (1, 0.5)],
        "at confidence 0.5": [(0.5, 0.5)],
    }
    assert labels(figure) == [
        "by confidence: AURC 0.333",
        "in a random order: 0.500",
        "at confidence 0.5: 0.500",
    ]
    (axes,) = figure.axes
    assert (axes.get_xlim(), axes.get_ylim()) == ((0, 1), (0, 1))
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "coverage: share of questions answered",
        "risk: share not right and supported",
    )


def test_a_threshold_that_answers_nothing_is_no_point(report):
    report = {**report, "answered": 0.0, "right_of_answered": None}
    assert list(drawn(figure_risk_coverage(report))) == ["by confidence", "in a random order"]


def test_the_threshold_lies_on_the_curve(report):
    lines = drawn(figure_risk_coverage(report))
    assert lines["at confidence 0.5"][0] in lines["by confidence"]


def test_the_threshold_lies_at_its_own_risk(report):
    report = {**report, "answered": 0.25, "right_of_answered": 0.9}
    assert drawn(figure_risk_coverage(report))["at confidence 0.5"] == [(0.25, 0.1)]


def test_reliability_shows_accuracy_over_confidence_its_area_by_count(report):
    report["curves"]["reliability"][1]["count"] = 4
    figure = figure_reliability(report)
    (points,) = figure.axes[0].collections
    assert points.get_offsets().tolist() == [
        *([0.9, 1.0], [0.8, 0.0], [0.7, 0.0], [0.6, 0.0], [0.3, 1.0], [0.2, 0.0])
    ]
    areas = points.get_sizes()
    assert areas[1] == pytest.approx(4 * areas[0])
    assert set(areas[2:]) == {areas[0]}
    assert areas[0] > 0
    assert drawn(figure) == {"as often right as claimed": [(0, 0), (1, 1)]}
    assert figure.axes[0].get_xlabel() == "mean confidence"
    assert figure.axes[0].get_ylabel() == "share: right and supported"


def test_recall_is_drawn_at_every_cut_with_the_passages_that_are_read(report):
    figure = figure_recall(report)
    cuts = (1, 2, 5, 10, 20, 50, 100)
    lines = drawn(figure)
    assert lines["a passage with the answer"] == [(1, 0.25), (2, 0.5), *((k, 0.75) for k in cuts[2:])]
    assert lines["the gold document"] == [(1, 0.5), *((k, 1.0) for k in cuts[1:])]
    assert [x for x, _ in lines["2 are retrieved"]] == [2, 2]
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == [str(k) for k in cuts]


def test_recall_leaves_out_what_is_not_known(report):
    report["gold_document_recall"] = dict.fromkeys(report["gold_document_recall"])
    assert set(drawn(figure_recall(report))) == {"a passage with the answer", "2 are retrieved"}


def test_latency_has_a_bar_to_the_median_and_a_whisker_to_the_95th_percentile(report):
    figure = figure_latency(report)
    (axes,) = figure.axes
    assert report["latency_ms"]["read"] == {"p50": 40.0, "p95": 67.0, "mean": 40.0}
    assert [bar.get_width() for bar in axes.patches] == [40.0, 80.0]
    (whiskers,) = axes.collections
    assert [segment[:, 0].tolist() for segment in whiskers.get_segments()] == [[40.0, 67.0], [80.0, 134.0]]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["read", "total"]
    assert [text.get_text() for text in axes.texts] == ["40 (67)", "80 (134)"]
    top, bottom = (axes.transData.transform((0, place))[1] for place in (0, 1))
    assert top > bottom  # the first stage on top


def test_a_stages_name_is_no_formula(report):
    report["latency_ms"] = {"$x_1$": {"p50": 0.24, "p95": 3.06, "mean": 1.0}}
    (plot,) = [plot for plot in plots(report) if plot.name == "latency"]
    assert ">$x_1$<" in plot.svg
    assert "0.2 (3.1)" in plot.svg


def test_a_plot_without_data_is_a_sentence(empty_report):
    shown = {plot.name: plot for plot in plots(empty_report)}
    assert [plot.svg for plot in shown.values()] == [None] * 4
    assert "no risk to draw" in shown["risk-coverage"].caption
    assert "no confidence to check" in shown["reliability"].caption
    assert "no ranking to judge" in shown["recall"].caption
    assert shown["latency"].caption == "No stage was timed."


def test_captions_say_what_the_figures_mean(report):
    report |= {"ece": 0.2, "ece_band": [0.05, 0.1]}
    captions = {plot.name: plot.caption for plot in plots(report)}
    assert "AURC 0.333 is the mean of its points" in captions["risk-coverage"]
    assert captions["reliability"] == (
        "Points: 1 answer each; on the diagonal the share (right and supported) equals the confidence. "
        "ECE 0.200; perfect calibration would show 0.050 to 0.100 (95%), so this confidence is no probability."
    )
    assert "first 2 passages are retrieved" in captions["recall"]
    assert "for 50.0% of the questions" in captions["recall"]


def test_an_ece_inside_the_band_speaks_against_nothing(report):
    report |= {"ece": 0.1, "ece_band": [0.05, 0.1]}
    report["curves"]["reliability"][0]["count"] = 3
    (caption,) = (plot.caption for plot in plots(report) if plot.name == "reliability")
    assert caption.startswith("Points: 1 to 3 answers each;")
    assert caption.endswith("so nothing speaks against calibration.")


def test_the_svg_is_the_same_every_time_and_carries_no_date(report):
    first, again = plots(report), plots(report)
    assert first == again
    for plot in first:
        assert "<metadata" not in plot.svg
        assert "<style" not in plot.svg
        assert "<!DOCTYPE" not in plot.svg


def test_the_svg_has_a_name_for_those_who_do_not_see_it(report):
    label = 'Risk "by" <coverage> & more'
    root = ElementTree.fromstring(
        svg(figure_latency(report), name="one", label=label).replace("xlink:href", "href")
    )
    assert (root.get("role"), root.get("aria-label")) == ("img", label)
    assert root.get("viewBox")
    assert "milliseconds" in "".join(root.itertext())  # text, not outlines of letters


def test_two_svgs_on_a_page_share_no_id_and_every_reference_leads_to_one(report):
    seen = set()
    for plot in plots(report):
        ids = set(re.findall(r' id="([^"]*)"', plot.svg))
        used = set(re.findall(r'(?:href="#|url\(#)([^")]*)', plot.svg))
        assert used
        assert used <= ids
        assert not ids & seen
        seen |= ids


def test_the_page_decides_the_colours(report):
    for plot in plots(report):
        assert not re.search(r"(fill|stroke): #(?!fff)", plot.svg), plot.name
        assert "var(--plot-ink" in plot.svg


def test_where_quotes_are_not_the_point_nothing_is_said_of_support(report):
    configuration = {**report["run"]["configuration"], "answer_from": "candidate"}
    report["run"] = {**report["run"], "configuration": configuration}
    assert "supported" not in plots_text(report)
    assert "risk: share not right" in plots_text(report)
    assert "the share (right) equals the confidence" in plots_text(report)


def plots_text(report):
    shown = [plot for plot in plots(report) if plot.name in ("risk-coverage", "reliability")]
    return " ".join(f"{plot.caption} {plot.svg}" for plot in shown)
