"""The figures of a report as tables, drawn alike on a terminal, in Markdown and in HTML."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.configurations import AnswerFrom
from evaluation.questions import ANSWERABLE, UNANSWERABLE
from evaluation.slices import WITHOUT_GOLD

Json = dict[str, Any]
Show = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts: the first column names what the others show."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def percent(share: float | None) -> str:
    """A share in percent with one decimal; nearly all is not told as all, nor next to none as none."""
    if share is None:
        return "-"
    if 0 < share < 0.0005:
        return "<0.1%"
    if 0.9995 <= share < 1:
        return ">99.9%"
    return f"{100 * share:.1f}%"


def number(value: float | None) -> str:
    """A number with three decimals."""
    return "-" if value is None else f"{value:.3f}"


def _interval(pair: Sequence[float] | None) -> str:
    return "-" if pair is None else f"{pair[0]:.3f} to {pair[1]:.3f}"


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


_Figures = Sequence[tuple[str, str, Show]]

_ANSWERS: _Figures = (
    ("answerable", "answerable questions", _count),
    ("answered", "answered at this threshold", percent),
    ("exact_match", "exact match", percent),
    ("f1", "F1", percent),
    ("contains_answer", "a known answer stands in it", percent),
    ("exact_match_of_answered", "exact match of the answers given", percent),
    ("exact_match_without_threshold", "exact match if it never abstained", percent),
    ("candidate_exact_match", "exact match if it always chose its best cited candidate", percent),
    ("correct_and_supported", "exact match and supported by its quote", percent),
    ("correct_and_supported_of_answered", "both, of the answers given", percent),
    ("correct_and_supported_without_threshold", "both, if it never abstained", percent),
    ("misled_of_answered", "nearer to a wrong answer than to a right one, of the answers given", percent),
)
_LONG_ANSWERS: _Figures = (
    *(
        (f"{name}{suffix}", f"{meaning}{when}", percent)
        for name, meaning in (
            ("rouge_l", "ROUGE-L F1"),
            ("unigram_f1", "unigram F1"),
            ("citation_precision", "citation precision"),
            ("citation_recall", "citation recall"),
        )
        for suffix, when in (
            ("", ""),
            ("_of_answered", ", of the answers given"),
            ("_without_threshold", ", if it never abstained"),
        )
    ),
    ("answer_sentences", "sentences in an answer given, mean", number),
)
_QUOTES: _Figures = (
    ("quote_verbatim", "quote stands verbatim in the stored document", percent),
    ("quote_has_answer", "quote has the answer", percent),
    ("supported", "quote supports the answer", percent),
    ("supported_of_answered", "quote supports it, of the answers given", percent),
    ("gold_document_cited", "gold document cited", percent),
    ("gold_document_cited_without_threshold", "gold document cited if it never abstained", percent),
    ("quote_sentences_median", "sentences in a quote, median", _count),
)
_CONFIDENCE: _Figures = (
    ("ece", "ECE of all answers, 10 bins of equal mass", number),
    ("ece_band", "what a perfectly calibrated predictor would show (95%)", _interval),
    ("ece_answerable", "ECE of the answers to answerable questions", number),
    ("brier", "Brier score of all answers", number),
    ("aurc", "AURC", number),
    ("relative_aurc", "AURC relative to a random order", number),
    ("coverage_at_90_accuracy", "coverage at 90% of that", percent),
    ("auroc_right_against_unanswerable", "AUROC, right answers against unanswerable questions", number),
)
_RETRIEVAL: _Figures = (
    ("answerable_from_hits", "answer stands in the hits: the ceiling", percent),
    ("gold_document_retrieved", "gold document among them", percent),
    ("gold_document_mrr", "reciprocal rank of the gold document, mean", number),
    ("gold_document_ndcg_at_10", "nDCG@10 of the gold document", number),
)


def tables(report: Json) -> list[Table]:
    """Every table of a report, in the order a reader wants them."""
    every = [
        _by_side("Answers", _ANSWERS, report, "Abstentions count as wrong but where the row says otherwise."),
        _by_side(
            "Long answers",
            _LONG_ANSWERS,
            report,
            "Abstentions count as nothing but where the row says otherwise. ROUGE-L (words stemmed by Porter) and F1: "
            "against the nearest of the annotators' answers. Citation precision: the share of citations that overlap a "
            "sentence the annotators chose; recall: the share of those sentences that are cited by half or more.",
        ),
        _by_side(
            "Quotes", _QUOTES, report, "Abstentions count as unsupported but where the row says otherwise."
        ),
        _abstentions(report),
        _by_side(
            "Confidence",
            _CONFIDENCE,
            report,
            f"Held against: {claimed(report)}, where right means that a known answer stands in the answer. ECE, "
            "AURC and Brier: lower is better.",
        ),
        _at_coverage(report),
        _by_side("Retrieval", _RETRIEVAL, report, ""),
        _recall(report),
        _latency(report),
    ]
    return [table for table in every if table.rows]


def claimed(report: Json) -> str:
    """What the confidence of this run is held against: quotes count where they are the point."""
    quoted = report["run"]["configuration"]["answer_from"] == AnswerFrom.DECISION
    return "right and supported" if quoted else "right"


def thresholds(report: Json) -> list[Table]:
    """What each threshold would give, one table for either side of the questions."""
    columns = ("min_confidence", "answered", "exact match", "of answered", "unanswerable abstained")
    names = ("answered", "exact_match", "exact_match_of_answered", "abstained_unanswerable")
    return [
        Table(
            f"Thresholds, {side}",
            columns,
            tuple(
                (f"{row['min_confidence']:.2f}", *(percent(row[side][name]) for name in names))
                for row in report["thresholds"]
            ),
        )
        for side, figures in report["sides"].items()
        if side != "all" and figures["questions"]
    ]


def _by_side(title: str, figures: _Figures, report: Json, note: str) -> Table:
    rows = (
        (meaning, *(show(side[name]) for side in report["sides"].values())) for name, meaning, show in figures
    )
    return Table(title, ("", *report["sides"]), tuple(row for row in rows if set(row[1:]) != {"-"}), note)


def _abstentions(report: Json) -> Table:
    sides = list(report["sides"].values())
    kinds = dict.fromkeys(kind for side in sides for kind in side["abstained"])
    rows = [(_kind(kind, sides), *(percent(side["abstained"].get(kind)) for side in sides)) for kind in kinds]
    if any(side["unanswerable"] for side in sides):
        rows += [
            ("unanswerable, all", *(percent(side["abstained_unanswerable"]) for side in sides)),
            ("unanswerable questions", *(_count(side["unanswerable"]) for side in sides)),
            *(
                (f"abstaining, {meaning}", *(_of_abstention(side, name) for side in sides))
                for name, meaning in (("precision", "precision"), ("recall", "recall"), ("f1", "F1"))
            ),
        ]
    if any(side["set_aside"] for side in sides):
        rows += [
            ("set aside: another passage has the answer", *(_count(side["set_aside"]) for side in sides)),
            ("exact match among those", *(percent(side["set_aside_exact_match"]) for side in sides)),
        ]
    return Table("Share abstained", ("", *report["sides"]), tuple(rows))


def _kind(kind: str, sides: Sequence[Json]) -> str:
    """What a row calls the questions of a kind: whether they can be answered, where its name does not say so."""
    if kind == WITHOUT_GOLD:
        return "asked without their gold document"
    told = kind in (ANSWERABLE, UNANSWERABLE) or any(kind in side["kinds_with_answers"] for side in sides)
    return kind if told else f"unanswerable: {kind}"


def _of_abstention(side: Json, name: str) -> str:
    return percent(side["abstention"][name]) if side["abstention"] else "-"


def _at_coverage(report: Json) -> Table:
    """Of the reported side: how right the most confident are."""
    # one column, where it is the same
    shares = {
        claimed(report): report["accuracy_at_coverage"],
        "exact match": report["exact_match_at_coverage"],
    }
    return Table(
        f"The most confident answers, {report['reported']}",
        ("coverage", *shares),
        tuple(
            (coverage, *(percent(share[coverage]) for share in shares.values()))
            for coverage in report["accuracy_at_coverage"]
        ),
    )


def _recall(report: Json) -> Table:
    cuts = list(report["answer_recall"])
    rows = (
        ("a passage with the answer", *(percent(report["answer_recall"][k]) for k in cuts)),
        ("the gold document", *(percent(report["gold_document_recall"][k]) for k in cuts)),
    )
    return Table(
        f"Retrieval: share of questions with it among the first k, {report['reported']}",
        ("k", *cuts),
        tuple(row for row in rows if set(row[1:]) != {"-"}),
    )


def _latency(report: Json) -> Table:
    return Table(
        f"Milliseconds by stage, {report['reported']}",
        ("stage", "p50", "p95", "mean"),
        tuple(
            (stage, *(f"{spread[name]:.1f}" for name in ("p50", "p95", "mean")))
            for stage, spread in report["latency_ms"].items()
        ),
        "As the stages took when they were computed, whatever else the machine did. A stage whose time is not known "
        "is left out, and so is the total then.",
    )
