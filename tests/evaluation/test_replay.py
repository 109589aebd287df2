import json
from dataclasses import replace

import pytest

from app.answering.checked_input import GivenDocument
from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.stages import Stage
from app.answering.trace_json.reading import candidates_of, fill_in, hits_of, readings_of
from app.answering.trace_json.writing import candidate_as_json, trace_as_json
from app.answering.types import Candidate, CandidateSource
from common.errors import LoccitError
from evaluation.compare import compare
from evaluation.configurations import configuration_of
from evaluation.predict import predict
from evaluation.replay import NOTHING, replay_of
from evaluation.report.comparison import comparison_tables
from evaluation.run_folder import read_description, read_predictions
from evaluation.score import report_of, scored
from tests.small_run import QUESTIONS, description


def stages_of(run, **changes):
    """The stages of a run's description, some of them changed."""
    stages = read_description(run)["stages"]
    return {"stages": {**stages, **{name: {**stages[name], **value} for name, value in changes.items()}}}


def test_what_is_recorded_comes_back_as_it_was(service):
    trace = service.pipeline.answer(QUESTIONS[0].question)
    stored = json.loads(json.dumps(trace_as_json(trace)))
    assert tuple(hits_of(stored)) == trace.hits
    assert tuple(readings_of(stored)) == trace.readings
    assert tuple(candidates_of(stored)) == trace.candidates


def test_attempts_are_recorded_and_told_to_nobody_else(service):
    trace = service.pipeline.answer(QUESTIONS[0].question)
    counted = replace(trace, candidates=tuple(replace(one, attempt=3) for one in trace.candidates))
    stored = trace_as_json(counted)
    assert candidates_of(stored) == list(counted.candidates)
    assert {one["attempt"] for one in stored["candidates"]} == {3}
    assert "attempt" not in candidate_as_json(counted.candidates[0])
    del stored["candidates"][0]["attempt"]  # as it was recorded before they were counted
    fill_in(stored)
    assert candidates_of(stored)[0] == trace.candidates[0]


def test_stages_are_taken_over_as_far_as_both_runs_describe_them_alike(run):
    folder = run()
    assert replay_of(folder, stages_of(folder)).stages == list(Stage)
    assert replay_of(folder, stages_of(folder, generate={"seed": 7})).stages == [Stage.RETRIEVE, Stage.READ]
    assert replay_of(folder, stages_of(folder, read={"reader": "other"})).stages == [Stage.RETRIEVE]


def test_nothing_to_take_over_is_a_sentence(run):
    folder = run()
    with pytest.raises(
        LoccitError,
        match=r"Nothing of .*run can be taken over: its stage retrieve "
        r"differs \(generation .* then, another now\); leave out",
    ):
        replay_of(folder, stages_of(folder, retrieve={"generation": "another"}))


def test_a_replayed_run_asks_no_model_and_ends_alike(run, lm):
    first = run()
    asked = len(lm.calls)
    second = run(out="second", replay=replay_of(first, stages_of(first)))
    assert len(lm.calls) == asked
    for before, after in zip(read_predictions(first), read_predictions(second), strict=True):
        assert after["ranking"] == before["ranking"]
        for part in ("hits", "readings", "candidates", "cited", "decision"):
            assert after["trace"][part] == before["trace"][part]


def test_replayed_stages_keep_the_time_they_took(run):
    first = run()
    lines = [
        json.loads(line) for line in (first / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    for line in lines:
        line["trace"]["timings_ms"]["retrieve"] = 12_345.67
    (first / "predictions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    second = run(out="second", replay=replay_of(first, stages_of(first, read={"reader": "other"})))
    for line in read_predictions(second):
        timings = line["trace"]["timings_ms"]
        assert timings["retrieve"] == 12_345.67
        assert timings["read"] < 12_345
        assert timings["total"] > 12_345.67


def test_a_question_that_was_not_asked_before_is_answered_from_the_start(run, lm):
    first = run(QUESTIONS[:1])
    asked = len(lm.calls)
    second = run(out="second", replay=replay_of(first, stages_of(first)))
    assert len(lm.calls) > asked
    assert read_predictions(second)[1]["trace"]["decision"]["answer"] == "1901"


def test_a_question_that_reads_otherwise_under_the_same_id_is_answered_from_the_start(run, tmp_path):
    first = run(QUESTIONS[:1])
    path = first / "predictions.jsonl"
    path.write_text(path.read_text().replace('"who built the first Eddystone tower"', '"who was it"', 1))
    second = run(QUESTIONS[:1], out="second", replay=replay_of(first, stages_of(first)))
    assert read_predictions(second)[0]["trace"]["question"] == QUESTIONS[0].question
    assert replay_of(first, stages_of(first)).line(QUESTIONS[0]) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": "private"},
        {"answers": ("John Smeaton",)},
        {"gold_document_id": "Trams.txt"},
        {"documents": (GivenDocument("Anna built it."),)},
    ],
)
def test_a_question_that_stages_see_otherwise_is_answered_from_the_start(run, changed):
    first = run(QUESTIONS[:1])
    replay = replay_of(first, stages_of(first))
    assert replay.line(QUESTIONS[0]) is not None
    assert replay.line(replace(QUESTIONS[0], **changed)) is None


def test_what_only_scoring_sees_is_no_reason_to_answer_again(run):
    first = run(QUESTIONS[:1])
    changed = replace(QUESTIONS[0], title="Towers", long_answer="He built it.", wrong_answers=("nobody",))
    assert replay_of(first, stages_of(first)).line(changed) is not None


def test_documents_of_a_question_are_compared_by_what_they_say(run):
    question = replace(QUESTIONS[0], documents=(GivenDocument("Henry Winstanley built it.", None, "Tower"),))
    first = run([question])
    replay = replay_of(first, stages_of(first))
    assert replay.line(question) is not None
    other = replace(question, documents=(GivenDocument("Anna built it.", None, "Tower"),))
    assert replay.line(other) is None
    second = run([other], out="second", replay=replay)
    assert read_predictions(second)[0]["trace"]["hits"][0]["text"] == "Anna built it."


def test_what_is_taken_over_is_what_was_recorded(run):
    first = run(QUESTIONS[:1])
    path = first / "predictions.jsonl"
    line = json.loads(path.read_text())
    line["trace"]["hits"][0]["score"] = 0.125
    line["trace"]["readings"][0]["answerability"] = 0.375
    line["ranking"] = line["ranking"][:1]
    path.write_text(json.dumps(line) + "\n")
    (again,) = read_predictions(run(QUESTIONS[:1], out="second", replay=replay_of(first, stages_of(first))))
    assert again["trace"]["hits"][0]["score"] == 0.125
    assert again["trace"]["readings"][0]["answerability"] == 0.375
    assert len(again["ranking"]) == 1


class Attempts:
    """Follows ``Generator``, as an adapted language model beside the reader: every third attempt gives nothing."""

    def __init__(self):
        self.asked = []

    def generate(self, question, readings, *, kind, n, seed, deadline):
        self.asked.append(n)
        extracted = ReaderGenerator().generate(question, readings, n=n, seed=seed, deadline=deadline)
        return [
            *extracted,
            *(
                Candidate(
                    f"Winstanley {number}",
                    readings[0].hit.passage,
                    CandidateSource.LM,
                    -1.0 / (number + 1),
                    2,
                    attempt=number,
                )
                for number in range(n)
                if number % 3 < 2
            ),
        ]


@pytest.fixture
def attempted(service, built, index_on_disk, tmp_path, quiet):
    """Predicts with so many attempts; returns the folder of the run."""

    def predicted(n, out, *, earlier=None, questions=QUESTIONS, asked=None):
        described = configuration_of("full").described(description(built, index_on_disk))
        described["stages"]["generate"] = {"generator": "lm", "adapter_sha256": "ad", "candidates": n}
        writer = Attempts()
        options = replace(service.pipeline.options, candidates=n)
        pipeline = replace(service.pipeline, generator=writer, options=options)
        replay = NOTHING if earlier is None else replay_of(earlier, described)
        predict(questions, lambda _: pipeline, described, tmp_path / out, quiet, replay=replay)
        assert asked is None or writer.asked == asked
        return tmp_path / out

    return predicted


def untimed(folder):
    return [
        {**line, "trace": {**line["trace"], "timings_ms": None}, "stages": read_description(folder)["stages"]}
        for line in read_predictions(folder)
    ]


@pytest.mark.parametrize("n", [1, 2, 3, 5, 15])
def test_a_run_with_fewer_attempts_is_read_off_one_with_more(attempted, n):
    more = attempted(16, "more", asked=[16] * 3)
    fewer = attempted(n, "fewer", earlier=more, asked=[])
    assert untimed(fewer) == untimed(attempted(n, "direct", asked=[n] * 3))
    assert untimed(fewer) != untimed(more)


def test_what_fewer_attempts_would_have_taken_is_not_told(attempted):
    more = attempted(4, "more")
    fewer = attempted(2, "fewer", earlier=more)
    again = attempted(2, "again", earlier=fewer, asked=[])
    for folder in (fewer, again):
        for line, before in zip(read_predictions(folder), read_predictions(more), strict=True):
            timings = line["trace"]["timings_ms"]
            assert timings.keys() == {"retrieve", "read", "cite", "support", "decide"}
            assert timings["read"] == before["trace"]["timings_ms"]["read"]
        latency = report_of(scored(folder), min_confidence=0.5)["latency_ms"]
        assert "retrieve" in latency
        assert not latency.keys() & {"generate", "total"}
    of_more, of_fewer = compare({folder: scored(folder) for folder in (more, fewer)}).columns
    assert of_more.figures["milliseconds"].value is not None
    assert of_fewer.figures["milliseconds"].value is None
    _, values, _ = comparison_tables(compare({folder: scored(folder) for folder in (more, fewer)}))
    assert values.rows[1][-1] == "-"


def test_times_that_are_known_of_some_questions_alone_are_not_told(attempted):
    some = attempted(4, "some", questions=QUESTIONS[:1])
    fewer = attempted(2, "fewer", earlier=some, asked=[2, 2])
    assert "generate" in read_predictions(fewer)[1]["trace"]["timings_ms"]
    latency = report_of(scored(fewer), min_confidence=0.5)["sides"]["all"]["latency_ms"]
    assert not latency.keys() & {"generate", "total"}
    _, column = compare({some: scored(some), fewer: scored(fewer)}).columns
    assert column.figures["milliseconds"].value is None


@pytest.mark.parametrize(
    "changed",
    [{"candidates": 5}, {"candidates": 2, "seed": 7}, {"candidates": 2, "adapter_sha256": None}],
)
def test_attempts_are_made_again_where_more_are_wanted_or_anything_else_differs(attempted, changed):
    more = attempted(4, "more")
    assert replay_of(more, stages_of(more, generate=changed)).stages == [Stage.RETRIEVE, Stage.READ]
    assert replay_of(more, stages_of(more, generate={"candidates": 2})).stages == list(Stage)


def test_a_model_that_is_not_adapted_writes_again(run):
    folder = run(stages={"retrieve": {}, "read": {}, "generate": {"adapter_sha256": None, "candidates": 4}})
    assert replay_of(folder, stages_of(folder)).stages == list(Stage)
    fewer = stages_of(folder, generate={"candidates": 2})
    assert replay_of(folder, fewer).stages == [Stage.RETRIEVE, Stage.READ]


@pytest.mark.parametrize("n", [2, 4])
def test_attempts_from_before_they_were_counted_are_made_again(attempted, n):
    more = attempted(4, "more")
    path = more / "predictions.jsonl"
    lines = read_predictions(more)
    for line in lines:
        for one in line["trace"]["candidates"]:
            del one["attempt"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    fewer = stages_of(more, generate={"candidates": n})
    assert replay_of(more, fewer).stages == [Stage.RETRIEVE, Stage.READ]
