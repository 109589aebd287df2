"""Questions with evidence that no training has seen, asked: what a confidence beyond short answers is fitted on.

The texts are those of the sets with evidence that every training holds out (see ``EvidenceGroup.is_held_out``), all
in one index, or manuals in theirs; whoever fits has to know that no reader has learnt from these. An answer is right
when it says yes or no as people did, or when its sentence is one that people chose; what is quoted beside it counts in
the quotes' precision alone. Where the few words asked for are known, a short answer has to be these, or one within the
other. Nothing is right where the text does not answer. Where a sentence answers a question for yes or no and people
said no more than that, nobody knows; nor where each sentence of the texts is one that people chose, so that no quote
could be wrong.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from pydantic import TypeAdapter, ValidationError
from rich.console import Console

from app.answering.answer_kind import AnswerKind
from app.answering.confidence.features import FEATURES, Backed, Evidence, features
from app.answering.generators.broad_answers import NO, YES
from app.answering.pipeline import Pipeline
from app.answering.text.normalise import normalise_answer
from app.answering.types import CitedAnswer, CitedCandidate, Trace
from common.digest import json_digest
from common.errors import LoccitError
from common.files import cut_half_line, records
from common.progress import progress
from common.terminal_text import plain
from common.wording import counted
from retriever.types import Document
from training.data.evidence import EvidenceGroup
from training.data.evidence_shards import PreparedEvidence
from training.data.manuals import ManualQuestions
from training.reader.train import HELD_OUT_TEXTS


@dataclass(frozen=True, slots=True)
class Considered:
    """A cited candidate. ``features``: of its confidence, by ``FEATURES``. ``right``: None where nobody knows."""

    features: tuple[float, ...]
    right: bool | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out for one question. ``said``: None where it abstained for want of passages. ``right``: None where
    nobody knows.

    ``part``: the set, or the manual. ``kind``: of answer, as asked for; ``given``: of the answer that came out.
    ``precision``, ``recall``: of the quotes among the evidence, of a short answer the first alone, as a second one only
    says what was asked; None where no evidence is known. ``candidates``: all that were considered.
    """

    part: str
    id: str
    question: str
    kind: str
    given: str
    answerable: bool
    said: str | None
    confidence: float
    right: bool | None
    precision: float | None
    recall: float | None
    seconds: float
    candidates: tuple[Considered, ...]


def held_out(evidence: PreparedEvidence, each: int) -> Iterator[EvidenceGroup]:
    """The first ``each`` held-out groups of every set that say what is right, manuals aside: these have an index."""
    for groups in evidence.groups().values():
        apart = [group for group in groups if group.is_held_out(share=HELD_OUT_TEXTS) and not group.searched]
        yield from [group for group in apart if _says_what_is_right(group)][:each]


def held_out_outcomes(
    evidence: PreparedEvidence,
    each: int,
    over: Callable[[Sequence[Document]], Pipeline],
    answering: Mapping[str, Any],
    console: Console,
    path: Path,
) -> list[Outcome]:
    """What comes out for ``each`` questions of every set; see ``asked``.

    ``over``: the pipeline that answers from these documents. ``answering``: what tells how it answers.

    Raises:
        LoccitError: when no text is held out; and as ``asked`` does.
    """
    groups = list(held_out(evidence, each))
    if not groups:
        raise LoccitError(
            "The data holds no question over a text that is held out; make it from a folder with evidence/ in it, by "
            "`loccit train data DIR --evidence-only`."
        )
    state = {**answering, "texts": evidence.fingerprint, "each": each}

    def opened() -> Pipeline:
        pipeline = over(windows_as_documents(groups))
        pipeline.answer(
            groups[0].question
        )  # so that no question's seconds hold what is loaded with the first
        return pipeline

    return asked(opened, groups, console, path=path, state=state)


def manual_outcomes(
    questions: ManualQuestions,
    pipeline: Pipeline,
    answering: Mapping[str, Any],
    console: Console,
    path: Path,
    *,
    each: int | None = None,
    elsewhere: bool = False,
) -> list[Outcome]:
    """What comes out for the first ``each`` questions over each manual; see ``asked``. Says how many the index has not.

    ``pipeline``: searches the manuals' index. ``elsewhere``: questions over manuals that this has not are asked as
    well, as if it did not answer them. ``answering``: what tells how it answers.

    Raises:
        LoccitError: when the index answers no question; and as ``asked`` does.
    """
    by_manual: dict[str, list[EvidenceGroup]] = {}
    for group in questions:
        by_manual.setdefault(group.doc, []).append(group)
    lost = len(questions.lost)
    for group in questions.elsewhere() if elsewhere else ():
        by_manual.setdefault(group.doc, []).append(group)
        lost -= 1
    groups = [group for some in by_manual.values() for group in some[:each]]
    if not any(map(_answers, groups)):
        raise LoccitError(
            "No question has its answer in this index; give one of the manuals that training/manuals/README.md names."
        )
    if lost:
        console.print(plain(f"Not in these manuals: {counted(lost, 'question')}."))

    def opened() -> Pipeline:
        pipeline.answer(groups[0].question)  # so that no question's seconds hold what is loaded
        return pipeline

    state = {**answering, "questions": questions.description()}
    return asked(opened, groups, console, path=path, state=state)


def windows_as_documents(groups: Sequence[EvidenceGroup]) -> list[Document]:
    """All windows of these groups, a document each."""
    windows = {(passage.title, passage.window) for group in groups for passage in group.passages}
    return [Document(str(n), title, text) for n, (title, text) in enumerate(sorted(windows))]


def outcome(pipeline: Pipeline, group: EvidenceGroup) -> Outcome:
    """The group's question, asked; every answer is kept, however unsure."""
    trace = pipeline.answer(group.question, replace(pipeline.options, min_confidence=0.0))
    decision = trace.decision
    quotes = [citation.quote for citation in decision.citations] if isinstance(decision, CitedAnswer) else []
    if decision.kind is AnswerKind.SHORT:
        quotes = quotes[:1]
    wanted = _evidence(group)
    found = [_is_among(quote, wanted) for quote in quotes]
    precision = fmean(found) if wanted and found else None
    recall = fmean(_is_among(sentence, quotes) for sentence in wanted) if wanted else None
    considered = tuple(_considered(trace, group, decision.kind))
    right = considered[trace.cited.index(_chosen(trace))].right if trace.cited else False
    return Outcome(
        group.doc if group.searched else group.source,
        group.id,
        group.question,
        group.kind.value,
        decision.kind.value,
        _answers(group),
        decision.short_answer if isinstance(decision, CitedAnswer) else None,
        decision.confidence,
        right,
        precision,
        recall,
        sum(trace.timings.values()),
        considered,
    )


def asked(
    opened: Callable[[], Pipeline],
    groups: Sequence[EvidenceGroup],
    console: Console,
    *,
    path: Path,
    state: Mapping[str, Any],
) -> list[Outcome]:
    """What comes out for each, with progress; killed, it goes on when called again.

    ``opened``: gives what answers; called once, or not at all where every outcome is kept. ``path``: a file that keeps
    what came out, a line of JSON each. ``state``: what answers, which its first line names.

    Raises:
        LoccitError: when the file is damaged, or another state answered.
    """
    digest = json_digest({**state, "features": FEATURES})
    known = _kept(path, digest)
    pipeline: Pipeline | None = None
    outcomes = []
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file, progress(console, "Asking", total=len(groups)) as advance:
        if not file.tell():
            file.write(json.dumps({"state": digest}) + "\n")
        for group in groups:
            found = known.get(group.id)
            if found is None:
                pipeline = pipeline or opened()
                found = outcome(pipeline, group)
                file.write(json.dumps(asdict(found)) + "\n")
                file.flush()
            outcomes.append(found)
            advance()
    return outcomes


def _kept(path: Path, state: str) -> dict[str, Outcome]:
    if not path.exists():
        return {}
    cut_half_line(path)
    lines = list(records(path))
    if lines and lines[0].get("state") != state:
        raise LoccitError(
            f"{path} keeps what other models, settings or rules answered; give another file, or delete it."
        )
    kept = TypeAdapter(Outcome)
    try:
        outcomes = [kept.validate_json(json.dumps(line)) for line in lines[1:]]
    except ValidationError as error:
        wrong = error.errors()[0]
        field = ".".join(map(str, wrong["loc"]))
        raise LoccitError(
            f"{path} is damaged ({field}: {wrong['msg'].lower()}); delete it, and it is made again."
        ) from error
    return {one.id: one for one in outcomes}


def _chosen(trace: Trace) -> CitedCandidate:
    """The most confident cited candidate, as ``decide`` chooses it."""
    return min(trace.cited, key=lambda one: (-one.confidence, one.candidate.passage.row))


def _considered(trace: Trace, group: EvidenceGroup, kind: AnswerKind) -> Iterator[Considered]:
    """Every cited candidate, in order."""
    evidence = Evidence(trace.question, trace.hits, trace.readings, trace.candidates)
    backed = [
        Backed.of(one.candidate, [citation.quote for citation in one.citations], one.citations[0].support)
        for one in trace.cited
    ]
    for one, row in zip(trace.cited, features(evidence, backed).tolist(), strict=True):
        yield Considered(tuple(row), _is_right(one.candidate.answer, one.citations[0].quote, group, kind))


def _is_right(said: str, quote: str, group: EvidenceGroup, kind: AnswerKind) -> bool | None:
    if not _answers(group):
        return False
    if group.verdict is not None and said in (YES, NO):
        return said == (YES if group.verdict else NO)
    wanted = _evidence(group)
    if not wanted or not _has_other_sentences(group):
        return None
    return _is_among(quote, wanted) and _names(said, kind, group)


def _says_what_is_right(group: EvidenceGroup) -> bool:
    if group.kind is AnswerKind.YES_NO and group.verdict is None:
        return False
    return not _answers(group) or group.verdict is not None or bool(_evidence(group))


def _answers(group: EvidenceGroup) -> bool:
    return any(passage.answers_question for passage in group.passages)


def _evidence(group: EvidenceGroup) -> list[str]:
    return [
        span.of(passage.window)
        for passage in group.passages
        for span, is_evidence in passage.sentences or ()
        if is_evidence
    ]


def _names(said: str, given: AnswerKind, group: EvidenceGroup) -> bool:
    """Whether a few words that were given are those that were asked for; true where nobody knows these."""
    known = {
        normalise_answer(span.of(passage.window)) for passage in group.passages for span in passage.answers
    }
    if not known or not given is group.kind is AnswerKind.SHORT:
        return True
    words = f" {normalise_answer(said)} "
    return any(f" {one} " in words or words in f" {one} " for one in known if one)


def _has_other_sentences(group: EvidenceGroup) -> bool:
    return any(not is_evidence for passage in group.passages for _, is_evidence in passage.sentences or ())


def _is_among(text: str, others: Sequence[str]) -> bool:
    """Whether a text is, or is a part of, or holds one of the others, white space aside."""
    one = " ".join(text.split())
    return any(one in other or other in one for other in (" ".join(other.split()) for other in others))
