"""Questions of every kind over real documents that no reader learnt from: what is asked for, cited, and how surely.

python -m benchmarks.kinds data/training --reader strong
python -m benchmarks.kinds data/training --reader strong --weights runs/reader/weights --each 60 --out runs/kinds.jsonl

The texts are those of the sets with evidence that every training holds out (see ``EvidenceGroup.is_held_out``), all
in one index. An answer is right when it says yes or no as people did, or when at least half of what it quotes are
sentences that people chose. Nothing is right where the text does not answer.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean

from rich.console import Console
from rich.table import Table
from sklearn.metrics import roc_auc_score

from app.answering.answer_kind import AnswerKind
from app.answering.pipeline import Pipeline
from app.answering.types import CitedAnswer
from app.service.assembly import AnswerService, open_service
from app.service.settings import Settings
from common.progress import progress
from retriever.index_writer import index_in_memory
from retriever.retriever import IndexRetriever
from retriever.types import Document
from training.data.evidence import EvidenceGroup
from training.data.prepared import PreparedData
from training.reader.train import HELD_OUT_TEXTS

AT = (0.3, 0.5, 0.7)
_KNOWN = 0.5  # the share of the quotes that has to be evidence


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out for one question. ``said``: None where it abstained for want of passages.

    ``precision``, ``recall``: of the quotes among the evidence; None where no evidence is known.
    """

    part: str
    id: str
    question: str
    kind: str
    asked: str
    answerable: bool
    said: str | None
    confidence: float
    right: bool
    precision: float | None
    recall: float | None
    seconds: float


def held_out(data: PreparedData, each: int) -> Iterator[EvidenceGroup]:
    """The first ``each`` held-out groups of every set that say what is right."""
    for groups in data.evidence().values():
        apart = [group for group in groups if group.is_held_out(share=HELD_OUT_TEXTS)]
        yield from [group for group in apart if _says_what_is_right(group)][:each]


def pipeline_over(service: AnswerService, groups: Sequence[EvidenceGroup]) -> Pipeline:
    """The service's pipeline over all windows of these groups, a document each, with every answer kept."""
    windows = {(passage.title, passage.window) for group in groups for passage in group.passages}
    documents = [Document(str(n), title, text) for n, (title, text) in enumerate(sorted(windows))]
    index = index_in_memory(documents, service.encoder, service.index.settings)
    pipeline = service.with_retriever(IndexRetriever(index, service.encoder))
    return replace(pipeline, options=replace(pipeline.options, min_confidence=0.0))


def outcome(pipeline: Pipeline, group: EvidenceGroup) -> Outcome:
    """The group's question, asked."""
    trace = pipeline.answer(group.question)
    decision = trace.decision
    quotes = [citation.quote for citation in decision.citations] if isinstance(decision, CitedAnswer) else []
    wanted = _evidence(group)
    found = [any(_same(quote, sentence) for sentence in wanted) for quote in quotes]
    precision = fmean(found) if wanted and found else None
    recall = fmean(any(_same(quote, sentence) for quote in quotes) for sentence in wanted) if wanted else None
    said = decision.short_answer if isinstance(decision, CitedAnswer) else None
    answerable = any(passage.answers_question for passage in group.passages)
    if group.verdict is not None:
        right = said == ("Yes" if group.verdict else "No")
    else:
        right = answerable and precision is not None and precision >= _KNOWN
    return Outcome(
        group.source,
        group.id,
        group.question,
        group.kind.value,
        decision.kind.value,
        answerable,
        said,
        decision.confidence,
        right,
        precision,
        recall,
        sum(trace.timings.values()),
    )


def table(outcomes: Sequence[Outcome]) -> Table:
    """A row for each set, and one for all."""
    shown = Table("set", "questions", "kind", "right", "precision", "recall", "AUROC")
    for threshold in AT:
        shown.add_column(f"right of given at {threshold}")
    parts = dict.fromkeys(one.part for one in outcomes)
    for part in [*parts, None]:
        some = [one for one in outcomes if part in (None, one.part)]
        answerable = [one for one in some if one.answerable]
        shown.add_row(
            part or "all",
            f"{len(answerable)} + {len(some) - len(answerable)}",
            _percent([one.kind == one.asked for one in some]),
            _percent([one.right for one in answerable]),
            _percent([one.precision for one in answerable if one.precision is not None]),
            _percent([one.recall for one in answerable if one.recall is not None]),
            _auroc(some),
            *(_given(some, threshold) for threshold in AT),
        )
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="prepared training data")
    parser.add_argument("--index", type=Path, default=Settings().index, help="whose encoder is used")
    parser.add_argument("--reader", default=None)
    parser.add_argument("--weights", type=Path, default=None)
    parser.add_argument("--each", type=int, default=40, help="questions of each set")
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--out", type=Path, help="a line of JSON for each question")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    named = {
        name: value
        for name in ("index", "reader", "weights", "threads")
        if (value := getattr(arguments, name)) is not None
    }
    service = open_service(Settings.of(**named), abstains=False)
    groups = list(held_out(PreparedData(arguments.data), arguments.each))
    pipeline = pipeline_over(service, groups)
    outcomes = []
    with progress(console, "Asking", total=len(groups)) as advance:
        for group in groups:
            outcomes.append(outcome(pipeline, group))
            advance()
    if arguments.out:
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text("".join(json.dumps(asdict(one)) + "\n" for one in outcomes))
    Console(width=140).print(table(outcomes))
    print(f"{1000 * fmean(one.seconds for one in outcomes):.0f} ms a question")


def _says_what_is_right(group: EvidenceGroup) -> bool:
    if group.kind is AnswerKind.YES_NO and group.verdict is None:
        return False
    answerable = any(passage.answers_question for passage in group.passages)
    return not answerable or group.verdict is not None or bool(_evidence(group))


def _evidence(group: EvidenceGroup) -> list[str]:
    return [
        span.of(passage.window)
        for passage in group.passages
        for span, is_evidence in passage.sentences or ()
        if is_evidence
    ]


def _same(quote: str, sentence: str) -> bool:
    """Whether one is a part of the other, white space aside."""
    one, other = " ".join(quote.split()), " ".join(sentence.split())
    return one in other or other in one


def _given(outcomes: Sequence[Outcome], threshold: float) -> str:
    given = [one for one in outcomes if one.confidence >= threshold]
    return f"{sum(one.right for one in given)} of {len(given)}"


def _auroc(outcomes: Sequence[Outcome]) -> str:
    right = [one.right for one in outcomes]
    if len(set(right)) < 2:
        return "-"
    return f"{roc_auc_score(right, [one.confidence for one in outcomes]):.2f}"


def _percent(values: Sequence[float]) -> str:
    return f"{100 * fmean(values):.1f}" if values else "-"


if __name__ == "__main__":
    main()
