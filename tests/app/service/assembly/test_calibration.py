"""On which models, settings and index a calibrator rests, and where it therefore applies."""

from dataclasses import replace

import numpy as np
import pytest

from app.answering.answer_kind import AnswerKind
from app.answering.confidence.calibrator import (
    CALIBRATOR_FILE,
    Calibrator,
    JudgedAnswers,
    Law,
    Seen,
)
from app.answering.confidence.features import FEATURES
from app.answering.confidence.scorers import CalibratedConfidence, ScoreConfidence
from app.answering.options import SCORE_MIN_CONFIDENCE
from app.answering.rules import RULES
from app.answering.shipped_weights import WEIGHTS_FOLDER
from app.answering.types import CitedAnswer
from app.service.ask import Ask, answered
from app.service.calibration import fitted_on
from app.service.response import response_of
from common.errors import InvalidRequestError
from retriever.encoder import HashingEncoder
from retriever.types import Document
from tests.app.service.assembly.conftest import QUESTION, beside, response


def test_without_a_calibrator_the_confidence_is_a_score(settings, opened):
    service = opened(settings(min_confidence=0.25))
    assert service.calibration is None
    assert isinstance(service.pipeline.confidence, ScoreConfidence)
    assert service.pipeline.options.min_confidence == 0.25
    assert response(service, Ask(QUESTION))["calibration"] is None


def test_a_calibrator_says_which_models_settings_and_index_it_rests_on(settings, opened, fitted_for):
    asked = settings(top_k=7, min_confidence=0.1)
    service = opened(asked)
    assert service.models.digests(service.encoder) == {
        "encoder": HashingEncoder().sha256,
        "reader": "f" * 64,
        "language_model": "0" * 64,
        "adapter": None,
        "support": "LexicalSupport",
    }
    assert fitted_for(asked).fitted_on.settings == {
        "retrieval": "hybrid",
        "top_k": 7,
        "passages_read": 8,
        "passages_together": 2,
        "generator": "lm",
        "citer": "reader",
        "candidates": 1,
        "spans_extracted": [3, 3, 1, 1, 1],
        "evidence_tokens": 256,
        "seed": 0,
        "int8": False,
        "rules": RULES,
    }
    assert fitted_for(settings()).fitted_on.index == service.index.manifest.files["documents.sqlite"].sha256


def test_the_calibrator_beside_the_index_applies_to_what_it_was_fitted_on(settings, opened, fitted_for):
    calibrator = fitted_for(settings())
    beside(settings(), calibrator)
    service = opened(settings())
    assert (service.calibration.calibrator, service.calibration.applies) == (calibrator, True)
    assert isinstance(service.pipeline.confidence, CalibratedConfidence)
    decision = service.pipeline.answer(QUESTION).decision
    assert isinstance(decision, CitedAnswer)
    confidences = [decision.confidence, *(one.confidence for one in decision.alternatives)]
    assert confidences == pytest.approx([0.8] * len(confidences))


@pytest.mark.parametrize(
    ("asked", "calibration"),
    [
        (Ask(QUESTION), {"fitted_on": "towers", "applies": True}),
        (Ask(QUESTION, top_k=20), {"fitted_on": "towers", "applies": True}),
        (Ask(QUESTION, min_confidence=0.1), {"fitted_on": "towers", "applies": True}),
        (Ask(QUESTION, top_k=5), {"fitted_on": "towers", "applies": False}),
        (
            Ask(QUESTION, documents=(Document("t", "Eddystone", "Henry Winstanley built the first tower."),)),
            {"fitted_on": "towers", "applies": False},
        ),
    ],
)
def test_the_calibration_does_not_apply_to_a_question_asked_otherwise(
    settings, asked, calibration, opened, fitted_for
):
    beside(settings(), fitted_for(settings()))
    given = response(opened(settings()), asked)
    assert given["calibration"] == {**calibration, "elsewhere": None}
    assert given["confidence"] == pytest.approx(0.8)


@pytest.mark.parametrize("cut_short", [True, False])
def test_the_calibration_does_not_apply_to_an_answer_that_was_cut_short(
    settings, cut_short, opened, fitted_for
):
    beside(settings(), fitted_for(settings()))
    service, asked = opened(settings()), Ask(QUESTION)
    trace = replace(answered(service, asked), cut_short=cut_short)
    given = response_of(trace, asked, service).as_json()
    assert given["calibration"] == {"fitted_on": "towers", "applies": not cut_short, "elsewhere": None}


def test_the_response_tells_what_answers_as_sure_were_worth_elsewhere(settings, opened, fitted_for):
    seen = (Seen(0.75, 40, 31), Seen(0.8, 30, 26), Seen(0.85, 20, 20))
    beside(settings(), replace(fitted_for(settings()), elsewhere=seen))
    service, asked = opened(settings()), Ask(QUESTION)
    trace = answered(service, asked)
    worth = {"min_confidence": 0.75, "given": 40, "right": 31}
    at_hand = replace(trace, decision=replace(trace.decision, confidence=0.79))
    assert response_of(at_hand, asked, service).as_json()["calibration"]["elsewhere"] == worth
    explained = replace(trace, decision=replace(trace.decision, kind=AnswerKind.EXPLANATION))
    assert response_of(explained, asked, service).as_json()["calibration"]["elsewhere"] is None


def test_what_an_explanation_was_worth_elsewhere_is_told_by_its_own_law(settings, opened, fitted_for):
    calibrator = fitted_for(settings())
    law = Law(("support",), (0.0,), (1.0,), (0.0,), 0.0, elsewhere=(Seen(0.5, 50, 33),))
    beside(settings(), replace(calibrator, elsewhere=(Seen(0.5, 90, 80),), broad=law))
    service, asked = opened(settings()), Ask(QUESTION)
    trace = answered(service, asked)
    explained = replace(trace, decision=replace(trace.decision, kind=AnswerKind.EXPLANATION))
    worth = {"min_confidence": 0.5, "given": 50, "right": 33}
    assert response_of(explained, asked, service).as_json()["calibration"]["elsewhere"] == worth


@pytest.mark.parametrize("shapes_no_answer", [{"min_confidence": 0.9}, {"max_waiting": 2}, {"timeout_s": 5}])
def test_settings_that_shape_no_answer_do_not_count(settings, shapes_no_answer, opened, fitted_for):
    beside(settings(), fitted_for(settings()))
    assert opened(settings(**shapes_no_answer)).calibration.applies is True


@pytest.mark.parametrize(
    "other",
    [
        {"top_k": 5},
        {"retrieval": "lexical"},
        {"passages_read": 1},
        {"candidates": 2},
        {"evidence_tokens": 64},
        {"seed": 1},
    ],
)
def test_with_other_settings_it_does_not_apply_yet_scores(settings, other, opened, fitted_for):
    beside(settings(), fitted_for(settings()))
    service = opened(settings(**other))
    assert service.calibration.applies is False
    assert isinstance(service.pipeline.confidence, CalibratedConfidence)


def test_on_another_index_it_does_not_apply_yet_scores(settings, opened, fitted_for):
    beside(settings(), fitted_for(settings(), index="0" * 64))
    service = opened(settings())
    assert service.calibration.applies is False
    assert isinstance(service.pipeline.confidence, CalibratedConfidence)


def test_with_another_reader_it_is_not_used(settings, opened, fitted_for):
    beside(settings(), fitted_for(settings()))
    service = opened(settings(reader="lexical"))
    assert service.calibration is None
    assert isinstance(service.pipeline.confidence, ScoreConfidence)


def test_without_the_language_model_it_does_not_apply_yet_scores(settings, opened, fitted_for):
    beside(settings(), fitted_for(settings()))
    service = opened(settings(generator="reader"))
    assert service.calibration.applies is False
    assert isinstance(service.pipeline.confidence, CalibratedConfidence)


def with_another(calibrator, part):
    assert part in calibrator.fitted_on.models
    models = {**calibrator.fitted_on.models, part: "1" * 64}
    return replace(calibrator, fitted_on=replace(calibrator.fitted_on, models=models))


@pytest.mark.parametrize("part", ["reader", "support", "adapter"])  # there is no adapter here
def test_fitted_with_another_reader_or_support_or_with_an_adapter_it_is_not_used(
    settings, part, opened, fitted_for
):
    beside(settings(), with_another(fitted_for(settings()), part))
    assert opened(settings()).calibration is None


def test_fitted_with_any_other_model_it_does_not_apply_yet_scores(settings, opened, fitted_for):
    others = fitted_for(settings()).fitted_on.models.keys() - {"reader", "support", "adapter"}
    assert {"encoder", "language_model"} <= others
    for part in others:
        beside(settings(), with_another(fitted_for(settings()), part))
        assert opened(settings()).calibration.applies is False, part


def test_where_a_score_is_wanted_what_was_fitted_is_not_used(settings, opened, fitted_for):
    beside(settings(), fitted_for(settings()))
    service = opened(settings(confidence="score"))
    assert service.calibration is None
    assert isinstance(service.pipeline.confidence, ScoreConfidence)
    assert service.pipeline.options.min_confidence == SCORE_MIN_CONFIDENCE


def test_a_score_promises_no_accuracy(settings, opened, fitted_for):
    beside(settings(), fitted_for(settings()))
    with pytest.raises(InvalidRequestError, match="confidence is set to score; leave one of the two out"):
        opened(settings(confidence="score", target_accuracy=0.7))


def judged(*, answerable):
    return JudgedAnswers(QUESTION, answerable, np.zeros((0, len(FEATURES))), ())


def test_what_a_calibrator_is_fitted_on_names_questions_and_index_and_counts_both_kinds(settings, opened):
    asked = settings()
    service = opened(asked)
    questions = [judged(answerable=one) for one in (True, False, True)]
    found = fitted_on(
        asked,
        service.models.digests(service.encoder),
        service.index,
        {"name": "towers.jsonl", "sha256": "ab", "side": "calibrate", "sample": None},
        questions,
    )
    assert found.name == f"towers over {asked.index.name}"
    assert found.questions == {
        "name": "towers.jsonl",
        "sha256": "ab",
        "side": "calibrate",
        "sample": None,
        "answerable": 2,
        "unanswerable": 1,
    }


def test_a_calibrator_is_not_fitted_on_an_index_in_memory(settings, index):
    with pytest.raises(InvalidRequestError, match=r"^A calibrator is fitted on an index on disk; build one"):
        fitted_on(settings(), {}, index, {"name": "towers.jsonl"}, [])


def test_the_shipped_calibrator_says_all_that_has_to_agree_for_it_to_apply(settings, opened, fitted_for):
    """One that lacks a model or a setting would never apply again, and nothing else would tell."""
    asked = settings()
    service = opened(asked)
    shipped = Calibrator.load(WEIGHTS_FOLDER / CALIBRATOR_FILE).fitted_on
    assert shipped.models.keys() == service.models.digests(service.encoder).keys()
    assert shipped.settings == {
        **fitted_for(asked).fitted_on.settings,
        "rules": 1,
    }  # the defaults, of earlier rules


def test_a_calibrator_of_earlier_rules_does_not_apply(settings, opened, fitted_for):
    fitted = fitted_for(settings())
    earlier = {**fitted.fitted_on.settings, "rules": RULES - 1}
    beside(settings(), replace(fitted, fitted_on=replace(fitted.fitted_on, settings=earlier)))
    assert not opened(settings()).calibration.applies


def test_opened_again_it_looks_for_a_calibrator_anew(settings, opened, fitted_for):
    service = opened(settings())
    assert service.calibration is None
    beside(settings(), fitted_for(settings()))
    again = service.reopened()
    assert again.calibration.applies
    assert isinstance(again.pipeline.confidence, CalibratedConfidence)
