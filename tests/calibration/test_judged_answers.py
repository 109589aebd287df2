"""The cited candidates of a small run, judged."""

import json
from dataclasses import replace

import numpy as np
import pytest

from app.answering.confidence.features import FEATURES, features
from app.answering.confidence.scorers import ScoreConfidence
from calibration.judged_answers import judged_answers
from common.errors import LoccitError
from evaluation.questions import Question
from evaluation.run_folder import read_predictions
from evaluation.slices import with_unanswerable
from tests.small_run import QUESTIONS

TOLD = replace(QUESTIONS[0], id="told")
ELSEWHERE = Question(
    "elsewhere", TOLD.question, TOLD.answers, title="Trams", gold_document_id="Trams.txt"
)  # so without its gold document the answer is still found


class Recording(ScoreConfidence):
    """Keeps the features of every question that passes by."""

    def __init__(self):
        self.rows = []

    def score(self, evidence, backed):
        self.rows.append(features(evidence, backed))
        return super().score(evidence, backed)


def cited_of(folder):
    return [line["trace"]["cited"] for line in read_predictions(folder)]


def rewritten(folder, change):
    path = folder / "predictions.jsonl"
    lines = read_predictions(folder)
    for line in lines:
        for one in line["trace"]["cited"]:
            change(one)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


def test_every_cited_candidate_of_every_question_is_judged(run):
    folder = run()
    judged = judged_answers(folder)
    assert [one.question for one in judged] == [one.question for one in QUESTIONS]
    assert [one.answerable for one in judged] == [True, True, False]
    for one, cited in zip(judged, cited_of(folder), strict=True):
        assert one.rows.shape == (len(cited), len(FEATURES))
        assert len(one.right) == len(cited)
        support = [each["citations"][0]["support"] for each in cited]
        assert one.rows[:, FEATURES.index("support")].tolist() == support
    assert set(judged[0].right) == {True}
    assert set(judged[1].right) == {False}  # 1901 is wrong, though its quote is of the gold document
    assert judged[2].right == ()


def test_the_features_are_those_that_the_service_saw(run, service):
    recording = Recording()
    pipeline = replace(service.pipeline, confidence=recording)
    for question in QUESTIONS[:2]:
        pipeline.answer(question.question)
    judged = judged_answers(run(QUESTIONS[:2]))
    assert all(len(one.rows) for one in judged)
    for one, rows in zip(judged, recording.rows, strict=True):
        assert one.rows.tolist() == rows.tolist()


def test_an_answer_in_which_a_known_one_stands_is_right(run):
    (judged,) = judged_answers(run([replace(TOLD, answers=("Winstanley",))]))
    assert set(judged.right) == {True}


def test_a_part_of_a_known_answer_is_not_right(run):
    longer = replace(TOLD, answers=("Henry Winstanley of Littlebury",))
    (judged,) = judged_answers(run([longer]))
    assert set(judged.right) == {False}


def test_a_right_answer_whose_quote_does_not_support_it_is_not_right(run):
    def change(one):
        one["citations"][0].update(
            document_id="Trams.txt", title="Trams", quote="In Lisbon a horse tram ran in 1873."
        )

    (judged,) = judged_answers(rewritten(run([TOLD]), change))
    assert judged.right
    assert set(judged.right) == {False}


def test_each_candidate_is_judged_by_its_own_quote(run):
    folder = run([TOLD])
    count = len(cited_of(folder)[0])
    assert count > 1
    numbers = iter(range(count))

    def change(one):
        if next(numbers) == 0:
            one["citations"][0].update(
                document_id="Trams.txt", title="Trams", quote="Electric ones came in 1901."
            )

    (judged,) = judged_answers(rewritten(folder, change))
    assert judged.right == (False, *[True] * (count - 1))


@pytest.mark.parametrize(("answers", "right"), [(("Winstanley",), True), (("John Smeaton",), False)])
def test_without_its_gold_document_a_question_counts_as_unanswerable_and_is_right_only_if_it_matches(
    run, answers, right
):
    both = judged_answers(run(with_unanswerable([replace(ELSEWHERE, answers=answers)])))
    assert [one.answerable for one in both] == [True, False]
    assert both[0].question == both[1].question
    assert set(both[1].right) == {right}


def test_a_question_without_a_known_answer_has_no_right_one(run):
    (judged,) = judged_answers(run([replace(TOLD, answers=())]))
    assert judged.answerable is False
    assert set(judged.right) == {False}


def test_rows_are_numbers_of_double_precision_and_finite(run):
    for one in judged_answers(run()):
        assert one.rows.dtype == np.float64
        assert np.isfinite(one.rows).all()


def test_a_folder_without_a_run_is_a_sentence(tmp_path):
    with pytest.raises(LoccitError, match=r"run\.json cannot be read"):
        judged_answers(tmp_path)
