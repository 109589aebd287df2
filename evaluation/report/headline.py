"""The headline of a report: its main figures in plain sentences."""

from collections.abc import Iterator
from typing import Any

from evaluation.report.tables import percent

Json = dict[str, Any]

_FEW = 50


def headline(report: Json) -> str:
    """One paragraph of plain text about the reported side, for a reader who knows none of the metrics."""
    return " ".join(_sentences(report))


def _sentences(report: Json) -> Iterator[str]:
    if report["unanswered_yet"]:
        yield f"Not all was asked: there is no answer yet to {_questions(report['unanswered_yet'])}."
    yield _asked(report)
    if 0 < report["answerable"] < _FEW:
        yield "They are few: one answer more or less would move every figure."
    if report["answerable"]:
        yield from _answered(report)
        yield from _long_answers(report)
    yield _verbatim(report["quote_verbatim"])
    if report["unanswerable"]:
        yield (
            f"Of {_questions(report['unanswerable'])} that should not be answered, "
            f"{percent(report['abstained_unanswerable'])} were rightly left unanswered."
        )
    if report["set_aside"]:
        yield (
            f"Set aside, because another passage than the gold document's has an answer: "
            f"{_questions(report['set_aside'])}."
        )


def _asked(report: Json) -> str:
    half = "" if report["reported"] == "all" else f" of the {report['reported']} half"
    asked = f"{_questions(report['questions'])}{half} {'was' if report['questions'] == 1 else 'were'} asked"
    if report["answerable"] == report["questions"] > 0:
        return f"{asked}, all of them answerable."
    return f"{asked}, {report['answerable']} of them answerable."


def _answered(report: Json) -> Iterator[str]:
    given = round(report["answered"] * report["answerable"])
    at_least = report["min_confidence"]
    threshold = f"With a confidence of {at_least:g} or more, " if at_least > 0 else ""
    if not given:
        yield f"{threshold}{'none' if threshold else 'None'} of those was answered."
        return
    supported = report["supported_of_answered"]
    quoted = (
        f", {percent(supported)} are supported by their quote, "
        f"{percent(report['correct_and_supported_of_answered'])} are both"
    )
    yield (
        f"{threshold}{given} of those {report['answerable']} were answered ({percent(report['answered'])}); "
        f"{percent(report['exact_match_of_answered'])} of the answers given are exact matches"
        f"{quoted if supported is not None else ''}."
    )
    low, high = report["intervals"]["exact_match"]
    yield (
        f"Counting abstentions as wrong, {percent(report['exact_match'])} are exact matches "
        f"(95% interval {percent(low)} to {percent(high)})."
    )


def _long_answers(report: Json) -> Iterator[str]:
    if report["rouge_l_of_answered"] is None:
        return
    low, high = report["intervals"]["rouge_l"]
    yield (
        f"Held against long answers, those given have a ROUGE-L of {percent(report['rouge_l_of_answered'])}; "
        f"counting abstentions as nothing, {percent(report['rouge_l'])} "
        f"(95% interval {percent(low)} to {percent(high)})."
    )


def _verbatim(share: float | None) -> str:
    if share is None:
        return "There are no quotes to check, or the documents that they come from are not at hand."
    if share == 1.0:
        return "Every quote stands word for word in its stored document."
    return f"For {percent(share)} of the questions with quotes, every quote stands word for word in its document."


def _questions(count: int) -> str:
    return f"{count:,} question{'' if count == 1 else 's'}"
