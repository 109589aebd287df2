import json
from dataclasses import replace

import pytest

from app.answering.given import GivenDocument
from app.answering.recorded import candidates_of, hits_of, readings_of
from app.answering.serialise import candidate_as_json, trace_as_json
from evaluation.configurations import Stage
from evaluation.replay import replay_of
from evaluation.run import read_description, read_predictions
from retriever.errors import LoccitError
from tests.evaluation.conftest import QUESTIONS


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
