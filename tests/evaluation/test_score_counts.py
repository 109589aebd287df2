"""Who is counted in which figure: outcomes made by hand, so that every figure has a value of its own."""

from pathlib import Path

import pytest

from evaluation.compare import compare
from evaluation.long_answer import LongAnswer
from evaluation.metrics.resampling import bootstrap_interval
from evaluation.outcome import Outcome
from evaluation.questions import ANSWERABLE, Side
from evaluation.score import INTERVAL_SAMPLES, Scored, report_of
from evaluation.slices import WITHOUT_GOLD

FAR = (*[False] * 6, True)  # at rank 7


def outcome(id_, confidence=0.0, **facts):
    return Outcome(
        **{
            "id": id_,
            "kind": ANSWERABLE,
            "side": Side.TEST,
            "answerable": facts.get("kind", ANSWERABLE) == ANSWERABLE,
            "quoted": True,
            "answer": "said",
            "confidence": confidence,
            "exact_match": False,
            "candidate_exact_match": facts.get("exact_match", False),
            "contains_answer": facts.get("exact_match", False),
            "f1": 0.0,
            "supported": False,
            "quote_has_answer": False,
            "quote_verbatim": None,
            "quote_sentences": None,
            "gold_cited": None,
            "answer_in_hits": None,
            "gold_in_hits": None,
            "holds_answer": None,
            "is_gold": None,
            "misled": None,
            "timings_ms": {"read": 1.0, "total": 10.0},
            **facts,
        }
    )


OUTCOMES = [
    outcome(
        "right, supported",
        0.9,
        exact_match=True,
        f1=1.0,
        supported=True,
        misled=False,
        quote_verbatim=True,
        is_gold=FAR,
    ),
    outcome("right, unsupported", 0.88, exact_match=True, f1=1.0, misled=True),
    outcome("wrong, supported", 0.85, f1=0.3, supported=True, candidate_exact_match=True),
    outcome("wrong, supported, withheld", 0.4, f1=0.5, supported=True, misled=True),
    outcome("no answer", answer=None),
    outcome("unanswerable, answered", 0.6, kind="private", quote_verbatim=False),
    outcome("another passage has it", 0.7, kind=WITHOUT_GOLD, holds_answer=(False, True), exact_match=True),
    outcome("hidden, withheld", 0.2, kind=WITHOUT_GOLD, holds_answer=(False,)),
    outcome("on the other side", 0.95, side=Side.CALIBRATE),
]


@pytest.mark.parametrize(
    ("contains", "supported", "quoted", "right"),
    [
        (True, True, True, True),
        (True, False, True, False),
        (False, True, True, False),
        (True, False, False, True),
        (False, False, False, False),
    ],
)
def test_right_is_an_answer_that_contains_a_known_one_and_is_supported_where_quotes_are_the_point(
    contains, supported, quoted, right
):
    one = outcome("a", contains_answer=contains, supported=supported, quoted=quoted)
    assert one.right is right
    assert one.correct_and_supported is False  # which asks for an exact match


def run_of(outcomes, *, top_k=2):
    description = {"settings": {"top_k": top_k}, "configuration": {"meaning": ""}}
    return Scored(description, [{"question": one.id} for one in outcomes], outcomes)


@pytest.fixture(scope="module")
def report():
    return report_of(run_of(OUTCOMES), min_confidence=0.5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("questions", 8),
        ("answerable", 5),
        ("answered", 3 / 5),
        ("exact_match", 2 / 5),
        ("exact_match_of_answered", 2 / 3),
        ("f1", 2.3 / 5),
        ("f1_without_threshold", 2.8 / 5),
        ("candidate_exact_match", 3 / 5),
        ("misled_of_answered", 1 / 2),
        ("quote_verbatim", 1 / 2),
        ("supported", 2 / 5),
        ("supported_of_answered", 2 / 3),
        ("correct_and_supported", 1 / 5),
        ("correct_and_supported_of_answered", 1 / 3),
        ("correct_and_supported_without_threshold", 1 / 5),
        ("ece", (0.1 + 0.88 + 0.85 + 0.4 + 0.6 + 0.7 + 0.2) / 7),
        ("ece_answerable", (0.1 + 0.88 + 0.85 + 0.4) / 4),
        ("brier", (0.1**2 + 0.88**2 + 0.85**2 + 0.4**2 + 0.6**2 + 0.7**2 + 0.2**2) / 7),
        ("aurc", (0 + 1 / 2 + 2 / 3 + 3 / 4 + 4 / 5) / 5),
        ("aurc_exact_match", (0 + 0 + 1 / 3 + 2 / 4 + 3 / 5) / 5),
        ("coverage_at_90_accuracy", 1 / 5),
        ("auroc_right_against_unanswerable", 1.0),
        ("abstained", {ANSWERABLE: 2 / 5, "private": 0.0, WITHOUT_GOLD: 1.0}),
        ("unanswerable", 2),
        ("abstained_unanswerable", 1 / 2),
        ("abstention", {"precision": 1 / 3, "recall": 1 / 2, "f1": 2 / 5}),
        ("set_aside", 1),
        ("set_aside_exact_match", 1.0),
        ("gold_document_mrr", 1 / 7),
        ("gold_document_ndcg_at_10", 1 / 3),
    ],
)
def test_every_figure_counts_whom_it_says(report, name, value):
    assert report[name] == pytest.approx(value)


@pytest.fixture(scope="module")
def of_long():
    """Two long answers, one of them withheld, a question that got none, and one without a long answer."""
    return report_of(
        run_of(
            [
                outcome("given", 0.9, long=LongAnswer(0.6, 0.5, 1.0, 0.25, 3)),
                outcome("withheld", 0.3, long=LongAnswer(0.3, 0.2, 0.5, 0.5, 2)),
                outcome("no answer", answer=None, long=LongAnswer(0.0, 0.0, 0.0, 0.0, 0)),
                outcome("short", 0.9),
                outcome("unanswerable", 0.9, kind="private", long=LongAnswer(1.0, 1.0, 1.0, 1.0, 9)),
            ]
        ),
        min_confidence=0.5,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rouge_l", 0.6 / 3),
        ("rouge_l_of_answered", 0.6),
        ("rouge_l_without_threshold", 0.9 / 3),
        ("unigram_f1", 0.5 / 3),
        ("unigram_f1_of_answered", 0.5),
        ("unigram_f1_without_threshold", 0.7 / 3),
        ("citation_precision", 1.0 / 3),
        ("citation_precision_of_answered", 1.0),
        ("citation_precision_without_threshold", 1.5 / 3),
        ("citation_recall", 0.25 / 3),
        ("citation_recall_of_answered", 0.25),
        ("citation_recall_without_threshold", 0.75 / 3),
        ("answer_sentences", 3),
    ],
)
def test_long_answers_are_counted_with_abstentions_as_nothing_and_apart(of_long, name, value):
    assert of_long[name] == pytest.approx(value)


def test_the_interval_of_rouge_l_is_over_the_questions_with_long_answers(of_long):
    expected = bootstrap_interval([0.6, 0.0, 0.0], samples=INTERVAL_SAMPLES)
    assert of_long["intervals"]["rouge_l"] == expected


def test_without_long_answers_nothing_is_said_of_them(report):
    assert report["rouge_l"] is report["rouge_l_of_answered"] is report["answer_sentences"] is None
    assert report["intervals"]["rouge_l"] is None


def test_citations_that_cannot_be_counted_are_not_counted_as_wrong():
    unquoted = LongAnswer(0.5, 0.5, None, None, 2)
    figures = report_of(
        run_of([outcome("a", 0.9, long=unquoted), outcome("b", 0.1, long=unquoted)]), min_confidence=0.5
    )
    assert figures["citation_precision"] is figures["citation_recall"] is None
    assert figures["rouge_l"] == 0.25


def test_intervals_are_those_of_the_reported_side_with_abstentions_as_nothing(report):
    for name, values in (("exact_match", [1, 1, 0, 0, 0]), ("f1", [1.0, 1.0, 0.3, 0.0, 0.0])):
        assert report["intervals"][name] == bootstrap_interval(values, samples=INTERVAL_SAMPLES)


def test_curves_are_those_of_the_reported_side(report):
    assert len(report["curves"]["risk_coverage"]) == 5
    # every answer, whether its question is answerable or not; the one without an answer claims nothing
    assert [
        (one["count"], one["confidence"], one["accuracy"]) for one in report["curves"]["reliability"]
    ] == [
        (1, 0.9, 1.0),
        *((1, confidence, 0.0) for confidence in (0.88, 0.85, 0.7, 0.6, 0.4, 0.2)),
    ]


def test_a_wrong_answer_to_an_unanswerable_question_counts_for_calibration_and_for_no_order():
    told = [outcome("a", 0.9, exact_match=True, supported=True)]
    both = [*told, outcome("b", 0.8, kind="private")]
    alone, mixed = (report_of(run_of(some), min_confidence=0.5) for some in (told, both))
    assert (alone["ece"], mixed["ece"]) == (pytest.approx(0.1), pytest.approx((0.1 + 0.8) / 2))
    assert alone["ece_answerable"] == mixed["ece_answerable"] == pytest.approx(0.1)
    assert alone["aurc"] == mixed["aurc"] == 0.0
    assert "ece_exact_match" not in mixed


def test_where_nothing_was_answered_calibration_is_not_known():
    report = report_of(run_of([outcome("a", answer=None)]), min_confidence=0.5)
    assert [report[name] for name in ("ece", "ece_band", "ece_answerable", "brier")] == [None] * 4
    assert report["curves"]["reliability"] == []


def test_without_an_unanswerable_question_nothing_is_said_of_finding_them():
    assert report_of(run_of(OUTCOMES[:5]), min_confidence=0.5)["abstention"] is None


def test_a_run_of_nothing_is_a_report_of_nothing():
    report = report_of(run_of([]), min_confidence=0.5)
    assert (report["questions"], report["reported"], report["exact_match"]) == (0, "all", None)


def test_an_answer_is_given_at_its_own_confidence():
    assert outcome("at", 0.5).given(0.5)
    assert not outcome("below", 0.5).given(0.51)
    assert not outcome("none", answer=None).given(0.0)


def compared(before, after, *, top_k=2):
    runs = {Path("before"): run_of(before, top_k=1), Path("after"): run_of(after, top_k=top_k)}
    return compare(runs).columns[1].figures


def test_every_figure_of_a_comparison_counts_what_it_says():
    before = [outcome("a"), outcome("b")]
    after = [
        outcome("a", exact_match=True, supported=True, quote_has_answer=True, f1=0.5),
        outcome("b", exact_match=True),
    ]
    figures = compared(before, after)
    values = {name: figure.value for name, figure in figures.items() if figure.value is not None}
    assert values == {
        "exact_match": 1.0,
        "candidate_exact_match": 1.0,
        "f1": 0.25,
        "correct_and_supported": 0.5,
        "supported": 0.5,
        "quote_has_answer": 0.5,
        "aurc": 0.5,
        "milliseconds": 10.0,
    }
    supported = compared(before, [outcome("a", supported=True), outcome("b", supported=True)])
    assert supported["supported"].value == 1.0
    assert supported["correct_and_supported"].value == supported["quote_has_answer"].value == 0.0


def test_what_each_run_read_is_compared():
    before = [outcome("a", answer_in_hits=False, gold_in_hits=True)]
    figures = compared(before, [outcome("a", answer_in_hits=True, gold_in_hits=False)])
    assert figures["answerable_from_hits"].difference == 1.0
    assert figures["gold_document_retrieved"].difference == -1.0


def test_a_difference_is_of_the_questions_of_which_both_runs_say_something():
    before = [outcome("a", gold_cited=None), outcome("b", gold_cited=False)]
    after = [outcome("a", gold_cited=False), outcome("b", gold_cited=True)]
    figure = compared(before, after)["gold_document_cited"]
    assert (figure.value, figure.difference) == (0.5, 1.0)


def test_where_quotes_are_the_point_of_one_run_alone_their_aurcs_have_no_difference():
    quoted = [outcome("a", 0.9, exact_match=True), outcome("b", 0.5)]
    unquoted = [outcome("a", 0.9, exact_match=True, quoted=False), outcome("b", 0.5, quoted=False)]
    assert compared(quoted, unquoted)["aurc"].value == 0.25
    assert compared(quoted, unquoted)["aurc"].difference is None
    assert compared(unquoted, unquoted)["aurc"].difference == 0.0
