"""Questions with evidence that no training has seen, asked: what a confidence beyond short answers is fitted on.

The texts are those of the sets with evidence that every training holds out (see ``EvidenceGroup.is_held_out``), all
in one index. An answer is right when it says yes or no as people did, or when at least half of what it quotes are
sentences that people chose. Of a short answer the first quote alone counts; where the few words asked for are known, it
has to be these, or one within the other. Nothing is right where the text does not answer. Where a sentence answers a
question for yes or no and people said no more than that, nobody knows; nor where each sentence of the texts is one that
people chose, so that no quote could be wrong.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console

from app.answering.answer_kind import AnswerKind
from app.answering.confidence.features import Evidence, features
from app.answering.generators.broad_answers import NO, YES
from app.answering.pipeline import Pipeline
from app.answering.text.normalise import normalise_answer
from app.answering.types import CitedAnswer, Trace
from common.digest import json_digest
from common.errors import LoccitError
from common.files import cut_half_line, records
from common.progress import progress
from retriever.types import Document
from training.data.evidence import EvidenceGroup
from training.data.evidence_shards import PreparedEvidence
from training.reader.train import HELD_OUT_TEXTS

_KNOWN = 0.5  # the share of the quotes that has to be evidence


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out for one question. ``said``: None where it abstained for want of passages. ``right``: None where
    nobody knows.

    ``precision``, ``recall``: of the quotes among the evidence, of a short answer the first alone, as a second one only
    says what was asked; None where no evidence is known. ``features``: of the answer's confidence, by ``FEATURES``;
    None without an answer.
    """

    part: str
    id: str
    question: str
    kind: str
    asked: str
    answerable: bool
    said: str | None
    confidence: float
    right: bool | None
    precision: float | None
    recall: float | None
    seconds: float
    features: tuple[float, ...] | None


def held_out(evidence: PreparedEvidence, each: int) -> Iterator[EvidenceGroup]:
    """The first ``each`` held-out groups of every set that say what is right."""
    for groups in evidence.groups().values():
        apart = [group for group in groups if group.is_held_out(share=HELD_OUT_TEXTS)]
        yield from [group for group in apart if _says_what_is_right(group)][:each]


def held_out_outcomes(
    evidence: PreparedEvidence,
    each: int,
    over: Callable[[Sequence[Document]], Pipeline],
    description: Mapping[str, Any],
    console: Console,
    path: Path,
) -> list[Outcome]:
    """What comes out for ``each`` questions of every set; see ``asked``.

    ``over``: the pipeline that answers from these documents. ``description``: of what answers, as a service gives it.

    Raises:
        LoccitError: when no text is held out; and as ``asked`` does.
    """
    groups = list(held_out(evidence, each))
    if not groups:
        raise LoccitError(
            "The data holds no question over a text that is held out; make it from a folder with evidence/ in it, by "
            "`loccit train data DIR --evidence-only`."
        )
    state = {
        "models": description["models"],
        "stages": description["stages"],
        "texts": evidence.fingerprint,
        "each": each,
    }

    def opened() -> Pipeline:
        pipeline = over(windows_as_documents(groups))
        pipeline.answer(
            groups[0].question
        )  # so that no question's seconds hold what is loaded with the first
        return pipeline

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
    found = [any(_same(quote, sentence) for sentence in wanted) for quote in quotes]
    precision = fmean(found) if wanted and found else None
    recall = fmean(any(_same(quote, sentence) for quote in quotes) for sentence in wanted) if wanted else None
    said = decision.short_answer if isinstance(decision, CitedAnswer) else None
    answerable = any(passage.answers_question for passage in group.passages)
    right: bool | None
    if group.verdict is not None and said in (YES, NO):
        right = said == (YES if group.verdict else NO)
    elif answerable and said is not None and not (wanted and _has_other_sentences(group)):
        right = None
    else:
        right = (
            answerable
            and precision is not None
            and precision >= _KNOWN
            and _names(said, decision.kind, group)
        )
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
        _features(trace),
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
    digest = json_digest(state)
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
    try:
        return {line["id"]: Outcome(**{**line, "features": _numbers(line["features"])}) for line in lines[1:]}
    except (KeyError, TypeError) as error:
        raise LoccitError(f"{path} is damaged ({error}); delete it, and it is made again.") from error


def _numbers(features: list[float] | None) -> tuple[float, ...] | None:
    return None if features is None else tuple(features)


def is_evidence(quote: str, group: EvidenceGroup) -> bool:
    """Whether a quote is, or is a part of, or holds a sentence that answers the group's question."""
    return any(_same(quote, sentence) for sentence in _evidence(group))


def _features(trace: Trace) -> tuple[float, ...] | None:
    """Of the most confident cited candidate, as ``decide`` chooses it."""
    if not trace.cited:
        return None
    best = min(trace.cited, key=lambda one: (-one.confidence, one.candidate.passage.row))
    evidence = Evidence(trace.hits, trace.readings, trace.candidates)
    return tuple(features(evidence, [(best.candidate, best.citations[0].support)])[0].tolist())


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


def _names(said: str | None, given: AnswerKind, group: EvidenceGroup) -> bool:
    """Whether a few words that were given are those that were asked for; true where nobody knows these."""
    known = {
        normalise_answer(span.of(passage.window)) for passage in group.passages for span in passage.answers
    }
    if said is None or not known or not given is group.kind is AnswerKind.SHORT:
        return True
    words = f" {normalise_answer(said)} "
    return any(f" {one} " in words or words in f" {one} " for one in known if one)


def _has_other_sentences(group: EvidenceGroup) -> bool:
    return any(not is_evidence for passage in group.passages for _, is_evidence in passage.sentences or ())


def _same(quote: str, sentence: str) -> bool:
    """Whether one is a part of the other, white space aside."""
    one, other = " ".join(quote.split()), " ".join(sentence.split())
    return one in other or other in one
