"""Below which confidence a service abstains."""

import pytest

from app.answering.options import FITTED_MIN_CONFIDENCE, SCORE_MIN_CONFIDENCE, AnswerLength
from common.errors import InvalidRequestError
from tests.app.service.assembly.conftest import beside


def test_the_usual_threshold_is_another_for_a_probability_than_for_a_score(settings, opened, fitted_for):
    assert opened(settings()).pipeline.options.min_confidence == SCORE_MIN_CONFIDENCE == 0.55
    beside(settings(), fitted_for(settings()))
    service = opened(settings())
    assert service.pipeline.options.min_confidence == FITTED_MIN_CONFIDENCE == 0.5
    assert service.description()["min_confidence"] == 0.5
    assert opened(settings(min_confidence=0.0)).pipeline.options.min_confidence == 0.0
    assert settings().min_confidence is None


@pytest.mark.parametrize(("accuracy", "threshold"), [(0.5, 0.4), (0.6, 0.7), (0.75, 0.7)])
def test_a_target_accuracy_sets_the_threshold_that_reached_it(
    settings, accuracy, threshold, opened, fitted_for
):
    beside(settings(), fitted_for(settings()))
    service = opened(settings(target_accuracy=accuracy))
    assert service.pipeline.options.min_confidence == threshold


def test_a_target_accuracy_that_no_threshold_reached_is_refused(settings, opened, fitted_for):
    beside(settings(), fitted_for(settings()))
    with pytest.raises(
        InvalidRequestError, match=r"^No threshold reached the target accuracy 0\.8 on towers"
    ):
        opened(settings(target_accuracy=0.8))


@pytest.mark.parametrize("calibrated", [True, False])
def test_a_target_accuracy_beside_a_min_confidence_is_refused(settings, calibrated, opened, fitted_for):
    if calibrated:
        beside(settings(), fitted_for(settings()))
    with pytest.raises(
        InvalidRequestError, match=r"^Both min_confidence and target_accuracy set the threshold; give one of"
    ):
        opened(settings(target_accuracy=0.6, min_confidence=0.55))


@pytest.mark.parametrize(
    ("environment", "given", "threshold"),
    [
        ({"MIN_CONFIDENCE": "0.2"}, {"target_accuracy": 0.6}, 0.7),
        ({"TARGET_ACCURACY": "0.6"}, {"min_confidence": 0.2}, 0.2),
        ({"MIN_CONFIDENCE": "0.2", "TARGET_ACCURACY": "0.6"}, {"min_confidence": 0.1}, 0.1),
        ({"TARGET_ACCURACY": "0.6"}, {}, 0.7),
        ({"MIN_CONFIDENCE": "0.2"}, {}, 0.2),
    ],
)
def test_a_threshold_that_is_given_counts_whichever_one_the_environment_sets(
    settings, monkeypatch, environment, given, threshold, opened, fitted_for
):
    beside(settings(), fitted_for(settings()))
    for name, value in environment.items():
        monkeypatch.setenv(f"LOCCIT_{name}", value)
    assert opened(settings(**given)).pipeline.options.min_confidence == threshold


@pytest.mark.parametrize(
    ("given", "length"),
    [
        ({}, AnswerLength.AUTO),
        ({"target_accuracy": 0.6}, AnswerLength.SHORT),
        ({"target_accuracy": 0.6, "length": AnswerLength.AUTO}, AnswerLength.AUTO),
    ],
)
def test_with_a_target_accuracy_answers_are_short_as_those_that_were_counted(
    settings, given, length, opened, fitted_for
):
    beside(settings(), fitted_for(settings()))
    service = opened(settings(**given))
    assert (service.pipeline.options.length, service.settings.length) == (length, length)


def test_two_thresholds_of_the_environment_are_refused(settings, monkeypatch, opened, fitted_for):
    beside(settings(), fitted_for(settings()))
    monkeypatch.setenv("LOCCIT_MIN_CONFIDENCE", "0.2")
    monkeypatch.setenv("LOCCIT_TARGET_ACCURACY", "0.6")
    with pytest.raises(InvalidRequestError, match=r"^Both min_confidence and target_accuracy"):
        opened(settings())


def test_a_target_accuracy_needs_a_calibrator(settings, notes_index, opened):
    with pytest.raises(InvalidRequestError) as refused:
        opened(settings(target_accuracy=0.6))
    assert str(refused.value) == (
        "target_accuracy needs a calibrator that was fitted on this index with these settings, but there is none; "
        f"fit one with `loccit calibrate QUESTIONS --index {notes_index}`."
    )


@pytest.mark.parametrize(("fitted_on", "other"), [({}, {"top_k": 5}), ({"index": "0" * 64}, {})])
def test_a_target_accuracy_needs_a_calibrator_that_applies(settings, fitted_on, other, opened, fitted_for):
    beside(settings(), fitted_for(settings(), **fitted_on))
    with pytest.raises(
        InvalidRequestError, match="these settings, but it was fitted on towers; fit one with"
    ):
        opened(settings(target_accuracy=0.6, **other))


@pytest.mark.parametrize(
    ("changes", "accuracy", "threshold"),
    [({}, 0.6, 0.7), ({}, 0.8, FITTED_MIN_CONFIDENCE), ({"index": "0" * 64}, 0.6, FITTED_MIN_CONFIDENCE)],
)
def test_where_every_answer_is_kept_a_target_accuracy_counts_if_it_is_promised(
    settings, changes, accuracy, threshold, opened, fitted_for
):
    beside(settings(), fitted_for(settings(), **changes))
    service = opened(settings(target_accuracy=accuracy), abstains=False)
    assert service.pipeline.options.min_confidence == threshold


def test_where_every_answer_is_kept_and_none_is_calibrated_the_threshold_is_that_of_a_score(settings, opened):
    service = opened(settings(target_accuracy=0.6), abstains=False)
    assert service.pipeline.options.min_confidence == SCORE_MIN_CONFIDENCE


def test_two_thresholds_are_refused_even_where_every_answer_is_kept(settings, opened):
    with pytest.raises(InvalidRequestError, match=r"^Both min_confidence and target_accuracy"):
        opened(settings(target_accuracy=0.6, min_confidence=0.55), abstains=False)


@pytest.mark.parametrize("accuracy", [0, 1, -0.5])
def test_a_target_accuracy_is_a_share(settings, accuracy):
    with pytest.raises(InvalidRequestError, match=f"^The setting target_accuracy is {accuracy}: "):
        settings(target_accuracy=accuracy)
