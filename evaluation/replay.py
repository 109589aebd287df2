"""Replaying: the first stages of an earlier run taken over instead of computed again."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

from app.answering.answer_kind import AnswerKind
from app.answering.pipeline import Pipeline
from app.answering.stages import Stage
from app.answering.trace_json import shapes
from app.answering.trace_json.reading import candidates_of, hits_of, readings_of
from app.answering.trace_json.writing import trace_as_json
from app.answering.types import Candidate, CandidateSource, Reading, Trace
from common.deadline import NO_DEADLINE, Deadline
from common.errors import LoccitError
from evaluation.question_sets.question import Question, QuestionJson, question_as_json
from evaluation.run_folder import PredictionLine, read_description, read_predictions
from retriever.retriever import Retriever
from retriever.types import Document, Hit


@dataclass(frozen=True, slots=True)
class Replay:
    """The lines of an earlier run by question id, and the stages that are taken over from them.

    ``in_part``: of these stages, those of which only a part is taken over. What that part took, nobody measured.
    """

    lines: Mapping[str, PredictionLine]
    stages: Sequence[Stage]
    in_part: Collection[Stage] = ()

    def line(self, question: Question) -> PredictionLine | None:
        """The recorded line of the same question, or None when it was not asked."""
        line = self.lines.get(question.id)
        same = line is not None and _decisive(line) == _decisive(question_as_json(question))
        return line if same else None

    def over(self, pipeline: Pipeline, line: PredictionLine) -> Pipeline:
        """The pipeline with the recorded results of these stages in the place of the stages."""
        trace = line["trace"]
        if Stage.RETRIEVE in self.stages:
            pipeline = replace(pipeline, retriever=_RecordedRetriever(trace, pipeline.retriever))
        if Stage.READ in self.stages:
            pipeline = replace(pipeline, reader=_RecordedReader(trace))
        if Stage.GENERATE in self.stages:
            pipeline = replace(pipeline, generator=_RecordedGenerator(trace))
        return pipeline

    def as_json(self, trace: Trace, line: PredictionLine) -> shapes.Trace:
        """The trace as it is written, with the recorded time of these stages: what they took when they were computed.

        Where a time is not known (a stage was taken over in part, here or in the earlier run), the trace has neither
        that time nor a total: a sum without it would say that the answer came faster than it does.
        """
        recorded = line["trace"]["timings_ms"]
        known = [stage for stage in self.stages if stage in recorded and stage not in self.in_part]
        seconds = {stage.value: recorded[stage] / 1000 for stage in known}
        written = trace_as_json(replace(trace, timings={**trace.timings, **seconds}))
        if unknown := set(self.stages) - set(known):
            timings = written["timings_ms"]
            told = {name: time for name, time in timings.items() if name not in {*unknown, "total"}}
            written = {**written, "timings_ms": told}
        return written


NOTHING = Replay({}, ())


def replay_of(run: Path, description: Mapping[str, Any]) -> Replay:
    """What the run of this description can take over from an earlier one: the leading stages described alike.

    Of an adapted language model's candidates, those of fewer attempts are the first of those of more: a run with fewer
    takes them over from a run that differs in having more, and leaves out the later ones and the time they all took.

    Raises:
        LoccitError: when that is nothing, naming what differs; when the earlier run is missing or damaged.
    """
    theirs, ours = read_description(run).get("stages", {}), description["stages"]
    lines = {line["id"]: line for line in read_predictions(run)}
    stages = list(takewhile(lambda stage: theirs.get(stage) == ours[stage], Stage))
    in_part = []
    if _attempts(theirs.get(Stage.GENERATE, {})) > 1:
        if not all(map(_counts_attempts, lines.values())):
            stages = [stage for stage in stages if stage is not Stage.GENERATE]
        elif stages == [Stage.RETRIEVE, Stage.READ] and _differs_in_having_more(theirs, ours):
            in_part = [Stage.GENERATE]
    if not stages:
        first = next(iter(Stage))
        before, now = theirs.get(first, {}), ours[first]
        other = [
            f"{name} {before.get(name)} then, {now.get(name)} now"
            for name in {**before, **now}
            if before.get(name) != now.get(name)
        ]
        raise LoccitError(
            f"Nothing of {run} can be taken over: its stage {first.value} differs ({'; '.join(other)}); leave "
            "out --from."
        )
    return Replay(lines, [*stages, *in_part], in_part)


def _decisive(question: QuestionJson) -> tuple[object, ...]:
    """What some configuration's stages depend on: what else differs only concerns scoring."""
    return (
        question["question"],
        question["kind"],
        question["answers"],
        question["gold_document_id"],
        question["documents"],
    )


def _attempts(generate: Mapping[str, Any]) -> int:
    """How many attempts of an adapted language model such a stage makes; 0 where there is none."""
    return 0 if generate.get("adapter_sha256") is None else int(generate["candidates"])


def _differs_in_having_more(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    """Whether they generate with more attempts than we, and else alike."""
    before, now = theirs[Stage.GENERATE], ours[Stage.GENERATE]
    return _attempts(before) > _attempts(now) > 0 and {**before, "candidates": now["candidates"]} == now


def _counts_attempts(line: PredictionLine) -> bool:
    """Whether candidates say which attempt they were. Those that were made before they did were made otherwise."""
    return all(
        candidate.attempt is not None or candidate.source is CandidateSource.READER
        for candidate in candidates_of(line["trace"])
    )


class _RecordedRetriever:
    def __init__(self, trace: shapes.Trace, retriever: Retriever) -> None:
        self._trace, self._retriever = trace, retriever

    def retrieve(self, question: str, *, k: int) -> list[Hit]:  # noqa: ARG002
        return hits_of(self._trace)

    def document(self, doc_id: str) -> Document:
        return self._retriever.document(doc_id)


class _RecordedReader:
    def __init__(self, trace: shapes.Trace) -> None:
        self._trace = trace

    def read(
        self,
        question: str,  # noqa: ARG002
        hits: Sequence[Hit],  # noqa: ARG002
        *,
        deadline: Deadline = NO_DEADLINE,  # noqa: ARG002
    ) -> list[Reading]:
        return readings_of(self._trace)


class _RecordedGenerator:
    def __init__(self, trace: shapes.Trace) -> None:
        self._trace = trace

    def generate(
        self,
        question: str,  # noqa: ARG002
        readings: Sequence[Reading],  # noqa: ARG002
        *,
        kind: AnswerKind = AnswerKind.SHORT,  # noqa: ARG002 - as it was recorded
        n: int,
        seed: int,  # noqa: ARG002
        deadline: Deadline,  # noqa: ARG002
    ) -> list[Candidate]:
        return [
            candidate
            for candidate in candidates_of(self._trace)
            if candidate.attempt is None or candidate.attempt < n
        ]
