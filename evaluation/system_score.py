"""Figures of any system's answers, by the metrics of Loccit's own runs. Loads no model."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from app.answering.text.answer_match import has_answer, says_answer
from app.answering.text.answer_score import exact_match, f1
from evaluation.configurations import AnswerFrom
from evaluation.outcome import Outcome
from evaluation.questions import Question, side_of
from evaluation.report.headline import headline
from evaluation.report.markdown import markdown
from evaluation.report.tables import Table, number, percent, tables
from evaluation.score import Scored, report_of
from evaluation.support_judge import SupportJudge
from evaluation.system_answers import FindDocument, SystemAnswer, SystemQuote
from retriever.text.sentences import sentence_spans

Json = dict[str, Any]

_OF_CONFIDENCE = (
    "ece",
    "ece_band",
    "ece_answerable",
    "brier",
    "aurc",
    "relative_aurc",
    "coverage_at_90_accuracy",
    "aurc_exact_match",
    "auroc_right_against_unanswerable",
)


@dataclass(frozen=True, slots=True)
class SystemOutcome(Outcome):
    """An outcome of a system that says itself where it abstains, whatever its confidence.

    ``verbatim``: of its quotes, those that could be looked up. ``words``: how many each quote has.
    """

    abstained: bool = False
    verbatim: tuple[bool, ...] = ()
    words: tuple[int, ...] = ()

    def given(self, min_confidence: float) -> bool:
        return not self.abstained and Outcome.given(self, min_confidence)


@dataclass(frozen=True, slots=True)
class SystemScore:
    """A system's report, and the tables and headline that show it."""

    report: Json
    tables: list[Table]
    headline: str

    def write(self, folder: Path) -> None:
        """Write ``report.json`` and ``report.md`` into the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        name = self.report["run"]["system"]
        (folder / "report.json").write_text(
            json.dumps(self.report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        (folder / "report.md").write_text(
            markdown(f"Answers of {name}", self.headline, self.tables), encoding="utf-8"
        )


def system_score(
    name: str,
    answers: Sequence[SystemAnswer],
    questions: Sequence[Question],
    find: FindDocument | None,
    *,
    min_confidence: float = 0.0,
) -> SystemScore:
    """The figures of these answers. ``min_confidence``: answers below count as abstentions too.

    ``find``: of what quotes are of. A document that it does not find is not there, so that no quote is verbatim; None:
    documents that do not come with an answer are not at hand, and nothing is said of quotes of them.

    Questions that have no line are left out of every figure; the report says how many. What asks for confidences is
    None unless every answer has one.
    """
    told = all(answer.confidence is not None for answer in answers if answer.answer is not None)
    judge, quoted = SupportJudge(), any(answer.quotes for answer in answers)
    outcomes = [_outcome(answer, find, judge, quoted=quoted) for answer in answers]
    description: Json = {
        "system": name,
        "asked": len(questions),
        "min_confidence": min_confidence,
        "configuration": {
            "name": name,
            "meaning": "the answers of another system",
            "answer_from": AnswerFrom.DECISION if quoted else AnswerFrom.CANDIDATE,
        },
    }
    # a run's lines are counted, never read, where figures are made of outcomes
    run = Scored(description, [None] * len(outcomes), outcomes)  # type: ignore[list-item]
    report = report_of(run, min_confidence=min_confidence)
    if not told:
        _without_confidence(report)
    report["quotes"] = _quotes(outcomes, min_confidence)
    report["seconds"] = {
        measured: fmean(answer.seconds[measured] for answer in answers)
        for measured in ("wall_s", "cpu_s")
        if all(measured in answer.seconds for answer in answers)
    }
    return SystemScore(report, [*_shown(report, told=told), _quote_table(report)], headline(report))


def _outcome(
    answer: SystemAnswer, find: FindDocument | None, judge: SupportJudge, *, quoted: bool
) -> SystemOutcome:
    question, said = answer.question, answer.answer
    documents = [answer.find(quote.document_id, find) for quote in answer.quotes]
    verbatim = tuple(
        quote.stands(document)
        for quote, document in zip(answer.quotes, documents, strict=True)
        if document is not None or find is not None
    )
    title = "" if not documents or documents[0] is None else documents[0].title
    first = answer.quotes[0] if answer.quotes else None
    exact = said is not None and exact_match(said, question.answers)
    return SystemOutcome(
        id=question.id,
        kind=question.kind,
        side=side_of(question.question),
        answerable=bool(question.answers),
        quoted=quoted,
        answer=said,
        confidence=_confidence(answer),
        exact_match=exact,
        candidate_exact_match=None,
        contains_answer=said is not None and (exact or says_answer(said, question.answers)),
        f1=0.0 if said is None else f1(said, question.answers),
        supported=first is not None and _supported(answer, first, title, judge),
        quote_has_answer=any(has_answer(quote.quote, question.answers) for quote in answer.quotes),
        quote_verbatim=all(verbatim) if verbatim else None,
        quote_sentences=None if first is None else len(sentence_spans(first.quote)),
        gold_cited=_gold_cited(question, first, title),
        answer_in_hits=None,
        gold_in_hits=None,
        holds_answer=None,
        is_gold=None,
        misled=None,
        timings_ms={name.removesuffix("_s"): 1000 * value for name, value in answer.seconds.items()},
        abstained=answer.abstained,
        verbatim=verbatim,
        words=tuple(len(quote.quote.split()) for quote in answer.quotes),
    )


def _confidence(answer: SystemAnswer) -> float:
    if answer.answer is None:
        return 0.0
    return 1.0 if answer.confidence is None else answer.confidence


def _supported(answer: SystemAnswer, quote: SystemQuote, title: str, judge: SupportJudge) -> bool:
    """As of Loccit's own answers: of the gold document, from what was marked, or accepted by the judge."""
    question = answer.question
    if question.gold_document_id is not None and quote.document_id == question.gold_document_id:
        return True
    gold = [question.long_answer] if question.long_answer else []
    return judge.from_gold(quote.quote, gold) or judge.accepts(
        question.question, answer.answer or "", title, quote.quote
    )


def _gold_cited(question: Question, quote: SystemQuote | None, title: str) -> bool | None:
    if question.gold_document_id is not None:
        return quote is not None and quote.document_id == question.gold_document_id
    return None if question.title is None else quote is not None and title == question.title


def _without_confidence(report: Json) -> None:
    """Take out what confidences that nobody told would show."""
    for figures in (report, *report["sides"].values()):
        figures.update(dict.fromkeys(_OF_CONFIDENCE))
        for shares in ("accuracy_at_coverage", "exact_match_at_coverage"):
            figures[shares] = dict.fromkeys(figures[shares])
    report["curves"] = {name: [] for name in report["curves"]}
    report["thresholds"] = []


def _quotes(outcomes: Sequence[SystemOutcome], min_confidence: float) -> Json:
    """Of the quotes of answers that are given, one by one."""
    given = [outcome for outcome in outcomes if outcome.given(min_confidence)]
    verbatim = [stands for outcome in given for stands in outcome.verbatim]
    words = [count for outcome in given for count in outcome.words]
    return {
        "answers": len(given),
        "answers_with_quotes": sum(bool(outcome.words) for outcome in given),
        "quotes": len(words),
        "looked_up": len(verbatim),
        "verbatim": sum(verbatim),
        "words_median": median(words) if words else None,
    }


def _shown(report: Json, *, told: bool) -> list[Table]:
    shown = tables(report)
    return shown if told else [table for table in shown if not table.title.startswith("The most confident")]


def _quote_table(report: Json) -> Table:
    quotes = report["quotes"]
    share = quotes["verbatim"] / quotes["looked_up"] if quotes["looked_up"] else None
    rows = (
        ("answers given", str(quotes["answers"])),
        ("of them with a quote", str(quotes["answers_with_quotes"])),
        ("quotes", str(quotes["quotes"])),
        ("looked up in their document", str(quotes["looked_up"])),
        ("of them verbatim there", percent(share)),
        (
            "words in a quote, median",
            "-" if quotes["words_median"] is None else f"{quotes['words_median']:g}",
        ),
        *((f"{name}, mean of an answer", number(value)) for name, value in report["seconds"].items()),
    )
    return Table("Quotes of the answers given, one by one", ("", "all"), rows)
