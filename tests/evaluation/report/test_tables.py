import pytest

from evaluation.report.tables import number, percent, tables, thresholds
from evaluation.score import Scored, report_of
from tests.evaluation.report.conftest import DESCRIPTION, line, outcome


def table(report, title):
    (found,) = (one for one in tables(report) if one.title == title)
    return found, {row[0]: row[1:] for row in found.rows}


def test_the_tables_come_in_the_order_a_reader_wants_them(report):
    assert [one.title for one in tables(report)] == [
        "Answers",
        "Quotes",
        "Share abstained",
        "Confidence",
        "The most confident answers, test",
        "Retrieval",
        "Retrieval: share of questions with it among the first k, test",
        "Milliseconds by stage, test",
    ]


def test_every_row_is_as_wide_as_its_columns(report, empty_report):
    for one in (*tables(report), *thresholds(report), *tables(empty_report)):
        assert {len(row) for row in one.rows} == {len(one.columns)}, one.title


def test_answers_are_told_side_by_side(report):
    found, rows = table(report, "Answers")
    assert found.columns == ("", "all", "calibrate", "test")
    assert rows == {
        "answerable questions": ("4", "0", "4"),
        "answered at this threshold": ("50.0%", "-", "50.0%"),
        "exact match": ("25.0%", "-", "25.0%"),
        "F1": ("25.0%", "-", "25.0%"),
        "a known answer stands in it": ("25.0%", "-", "25.0%"),
        "exact match of the answers given": ("50.0%", "-", "50.0%"),
        "exact match if it never abstained": ("50.0%", "-", "50.0%"),
        "exact match if it always chose its best cited candidate": ("50.0%", "-", "50.0%"),
        "exact match and supported by its quote": ("25.0%", "-", "25.0%"),
        "both, of the answers given": ("50.0%", "-", "50.0%"),
        "both, if it never abstained": ("50.0%", "-", "50.0%"),
    }


def test_each_label_shows_its_own_figure(report):
    for side in report["sides"].values():
        side.update(quote_verbatim=0.11, quote_has_answer=0.12, supported=0.13, supported_of_answered=0.14)
        side.update(gold_document_cited=0.15, gold_document_cited_without_threshold=0.16)
        side.update(ece=0.21, ece_band=[0.22, 0.23], ece_answerable=0.29)
        side.update(brier=0.24, aurc=0.25, relative_aurc=0.26)
        side.update(coverage_at_90_accuracy=0.27, auroc_right_against_unanswerable=0.28)
        side.update(answerable_from_hits=0.31, gold_document_retrieved=0.32)
        side.update(gold_document_mrr=0.33, gold_document_ndcg_at_10=0.34, quote_sentences_median=1.5)
    shown = {
        row[0]: row[1]
        for title in ("Quotes", "Confidence", "Retrieval")
        for row in table(report, title)[0].rows
    }
    assert shown == {
        "quote stands verbatim in the stored document": "11.0%",
        "quote has the answer": "12.0%",
        "quote supports the answer": "13.0%",
        "quote supports it, of the answers given": "14.0%",
        "gold document cited": "15.0%",
        "gold document cited if it never abstained": "16.0%",
        "sentences in a quote, median": "1.5",
        "ECE of all answers, 10 bins of equal mass": "0.210",
        "what a perfectly calibrated predictor would show (95%)": "0.220 to 0.230",
        "ECE of the answers to answerable questions": "0.290",
        "Brier score of all answers": "0.240",
        "AURC": "0.250",
        "AURC relative to a random order": "0.260",
        "coverage at 90% of that": "27.0%",
        "AUROC, right answers against unanswerable questions": "0.280",
        "answer stands in the hits: the ceiling": "31.0%",
        "gold document among them": "32.0%",
        "reciprocal rank of the gold document, mean": "0.330",
        "nDCG@10 of the gold document": "0.340",
    }


def test_long_answers_have_a_table_where_there_are_any(report):
    assert "Long answers" not in [one.title for one in tables(report)]
    for side in report["sides"].values():
        side.update(rouge_l=0.41, rouge_l_of_answered=0.42, rouge_l_without_threshold=0.43)
        side.update(unigram_f1=0.44, citation_precision=0.45, citation_recall_of_answered=0.46)
        side.update(answer_sentences=2.5)
    found, rows = table(report, "Long answers")
    assert [one.title for one in tables(report)][:3] == ["Answers", "Long answers", "Quotes"]
    assert {name: cells[0] for name, cells in rows.items()} == {
        "ROUGE-L F1": "41.0%",
        "ROUGE-L F1, of the answers given": "42.0%",
        "ROUGE-L F1, if it never abstained": "43.0%",
        "unigram F1": "44.0%",
        "citation precision": "45.0%",
        "citation recall, of the answers given": "46.0%",
        "sentences in an answer given, mean": "2.500",
    }
    assert "stemmed" in found.note


def test_abstentions_are_told_by_kind(report):
    _, rows = table(report, "Share abstained")
    assert {name: cells[-1] for name, cells in rows.items()} == {
        "answerable": "50.0%",
        "unanswerable: private": "0.0%",
        "asked without their gold document": "100.0%",
        "unanswerable, all": "50.0%",
        "unanswerable questions": "2",
        "abstaining, precision": "33.3%",
        "abstaining, recall": "50.0%",
        "abstaining, F1": "40.0%",
        "set aside: another passage has the answer": "1",
        "exact match among those": "0.0%",
    }


def test_a_kind_is_called_unanswerable_only_where_its_name_does_not_say_so_and_none_has_an_answer():
    some = [
        outcome(1, kind="answerable"),
        outcome(2, kind="date", answerable=True),
        outcome(3, kind="date", answerable=False, confidence=0.1),
        outcome(4, kind="unanswerable"),
        outcome(5, kind="future"),
    ]
    report = report_of(Scored(DESCRIPTION, [line(one) for one in some], some), min_confidence=0.5)
    _, rows = table(report, "Share abstained")
    assert {name: cells[-1] for name, cells in list(rows.items())[:5]} == {
        "answerable": "0.0%",
        "date": "50.0%",
        "unanswerable": "0.0%",
        "unanswerable: future": "0.0%",
        "unanswerable, all": "33.3%",
    }


def test_the_most_confident_and_recall_are_those_of_the_reported_side(report):
    _, rows = table(report, "The most confident answers, test")
    assert rows["100%"] == ("50.0%", "50.0%")
    assert rows["50%"] == ("50.0%", "50.0%")
    assert rows["70%"] == ("66.7%", "66.7%")
    found, rows = table(report, "Retrieval: share of questions with it among the first k, test")
    assert found.columns == ("k", "1", "2", "5", "10", "20", "50", "100")
    assert rows["a passage with the answer"][:3] == ("25.0%", "50.0%", "75.0%")
    assert rows["the gold document"][:3] == ("50.0%", "100.0%", "100.0%")


def test_latency_is_told_by_stage(report):
    found, rows = table(report, "Milliseconds by stage, test")
    assert found.columns == ("stage", "p50", "p95", "mean")
    assert rows == {"read": ("40.0", "67.0", "40.0"), "total": ("80.0", "134.0", "80.0")}


def test_what_is_not_known_of_any_side_is_left_out(report, empty_report):
    assert "misled" not in str(table(report, "Answers")[1])
    for side in report["sides"].values():
        side["misled_of_answered"] = 0.25
    label = "nearer to a wrong answer than to a right one, of the answers given"
    assert table(report, "Answers")[1][label] == ("25.0%",) * 3
    assert [one.title for one in tables(empty_report)][:2] == ["Answers", "Share abstained"]


def test_thresholds_have_a_table_for_each_half_that_has_questions(report):
    (test,) = thresholds(report)
    assert test.title == "Thresholds, test"
    assert test.columns[0] == "min_confidence"
    rows = {row[0]: row[1:] for row in test.rows}
    assert list(rows) == [f"{step / 20:.2f}" for step in range(20)]
    assert rows["0.00"] == ("75.0%", "50.0%", "66.7%", "0.0%")
    assert rows["0.50"] == ("50.0%", "25.0%", "50.0%", "50.0%")
    assert rows["0.95"] == ("0.0%", "0.0%", "-", "100.0%")
    report["sides"]["calibrate"]["questions"] = 1
    assert [one.title for one in thresholds(report)] == ["Thresholds, calibrate", "Thresholds, test"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (0.0, "0.0%"),
        (0.0004, "<0.1%"),
        (0.0005, "0.1%"),
        (0.12345, "12.3%"),
        (0.9994, "99.9%"),
        (0.9996, ">99.9%"),
        (1.0, "100.0%"),
    ],
)
def test_a_share_is_told_in_percent(value, shown):
    assert percent(value) == shown


@pytest.mark.parametrize(("value", "shown"), [(None, "-"), (0.0, "0.000"), (0.12345, "0.123")])
def test_a_number_has_three_decimals(value, shown):
    assert number(value) == shown


def test_where_quotes_are_not_the_point_the_most_confident_have_one_column(report):
    configuration = {**report["run"]["configuration"], "answer_from": "candidate"}
    report["run"] = {**report["run"], "configuration": configuration}
    (found,) = [one for one in tables(report) if one.title.startswith("The most confident")]
    assert found.columns == ("coverage", "right", "exact match")
