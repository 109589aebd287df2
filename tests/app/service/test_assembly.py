"""Which parts a service is made of, by its settings and by the calibrator that lies beside its index."""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from app.answering.confidence.calibrator import (
    CALIBRATOR_FILE,
    CALIBRATOR_KIND,
    Calibrator,
    JudgedAnswers,
    ThresholdRecord,
)
from app.answering.confidence.features import FEATURES
from app.answering.confidence.scorers import CalibratedConfidence, ScoreConfidence
from app.answering.cross_encoders.reader_model import Judgement
from app.answering.cross_encoders.second_reader import SecondReader
from app.answering.cross_encoders.trained_reader import TrainedReader
from app.answering.generator import JointGenerator, LMGenerator, ReaderGenerator
from app.answering.options import FITTED_MIN_CONFIDENCE, SCORE_MIN_CONFIDENCE
from app.answering.reader import LexicalReader
from app.answering.shipped_weights import MANIFEST_FILE, WEIGHTS_FOLDER, ShippedWeights, record_weights
from app.answering.support import LexicalSupport
from app.answering.types import Candidate, CandidateSource, CitedAnswer
from app.service.ask import Ask, answered
from app.service.assembly import Parts, open_retriever, open_service
from app.service.calibration import fitted_on
from app.service.generation import Writing, writing
from app.service.response import response_of
from app.service.settings import Settings
from common.deadline import NO_DEADLINE
from common.errors import IndexUnusableError, InvalidRequestError, ModelUnusableError
from common.packaged import sha256_of
from evaluation.configurations import configuration_of, pipeline_for
from evaluation.questions import Question
from evaluation.slices import WITHOUT_GOLD
from retriever.encoder import HashingEncoder
from retriever.types import Document, Span
from tests.fakes import ScriptedLM, TextOnlyLM

QUESTION = "who built the first Eddystone tower"


class FirstWords:
    """A reader's model that points at the first two words of each window, surest of the first."""

    sha256 = "f" * 64

    def __init__(self):
        self.judged = []

    def judge(self, question, passages, *, whole, deadline=NO_DEADLINE):
        self.judged.append(len(passages))
        return [
            Judgement(0.5, ((Span(0, len(" ".join(window.split(" ")[:2]))), 0.6 / 2**place),))
            for place, (_, window) in enumerate(passages)
        ]


@pytest.fixture
def reader_model():
    return FirstWords()


@pytest.fixture
def lm():
    return ScriptedLM({"Eddystone": "Henry Winstanley"})


@pytest.fixture
def parts(reader_model, lm, tmp_path):
    """Parts that need no weights, with nothing shipped."""
    return Parts(
        load_reader_model=lambda _name, _folder: reader_model,
        writing=partial(writing, load=lambda _: lm),
        shipped=tmp_path / "weights",
    )


@pytest.fixture
def opened(parts):
    """Opens what these settings ask for, from those parts."""

    def of(settings, *, parts=parts, **given):
        return open_service(settings, parts=parts, **given)

    return of


@pytest.fixture
def settings(notes_index):
    def of(**given):
        return Settings.of(index=notes_index, **{"reader": "small", **given})

    return of


@pytest.fixture
def fitted_for(opened):
    """Makes a calibrator that says 0.8 of every answer, fitted on just what these settings open."""

    def of(settings, /, **changes):
        return calibrator_for(opened(settings), **changes)

    return of


def calibrator_for(service, **changes):
    settings = service.settings
    digests = service.models.digests(service.encoder)
    here = replace(fitted_on(settings, digests, service.index, {"name": "towers.jsonl"}, []), name="towers")
    return Calibrator(
        fitted_on=replace(here, **changes),
        features=("support",),
        mean=(0.0,),
        scale=(1.0,),
        weights=(0.0,),
        intercept=1.3862943611198906,  # the logarithm of the odds 4 to 1
        thresholds=(ThresholdRecord(0.4, 30, 20, 0.55), ThresholdRecord(0.7, 20, 19, 0.75)),
    )


def beside(settings, calibrator):
    calibrator.save(settings.index / CALIBRATOR_FILE)


def response(service, asked):
    return response_of(answered(service, asked), asked, service).as_json()


def test_reader_and_language_model_answer_together(settings, reader_model, lm, opened):
    service = opened(settings())
    assert isinstance(service.pipeline.reader, TrainedReader)
    assert isinstance(service.pipeline.generator, JointGenerator)
    assert (service.models.reader, service.models.reader_sha256) == ("small", "f" * 64)
    assert (service.models.language_model, service.models.language_model_sha256) == ("scripted", "0" * 64)
    trace = service.pipeline.answer(QUESTION)
    assert [one.source for one in trace.candidates] == [*[CandidateSource.READER] * 2, CandidateSource.LM]
    assert reader_model.judged == [2]
    assert [len(call.prompts) for call in lm.calls] == [1]


def test_passages_read_and_candidates_are_as_set(settings, reader_model, lm, opened):
    service = opened(settings(passages_read=1, candidates=2))
    trace = service.pipeline.answer(QUESTION)
    assert reader_model.judged == [1]
    assert [len(call.prompts) for call in lm.calls] == [2]
    assert [reading.answerability for reading in trace.readings] == [0.5, 0.0]


def test_the_lexical_reader_leaves_answering_to_the_language_model(settings, parts, opened):
    without = replace(parts, load_reader_model=None)  # is not loaded at all
    service = opened(settings(reader="lexical"), parts=without)
    assert isinstance(service.pipeline.reader, LexicalReader)
    assert isinstance(service.pipeline.generator, LMGenerator)
    assert (service.models.reader, service.models.reader_sha256) == ("lexical", None)
    trace = service.pipeline.answer(QUESTION)
    assert [one.source for one in trace.candidates] == [CandidateSource.LM]


def test_the_strong_reader_reads_again_what_the_small_one_found_best(settings, parts, opened, reader_model):
    asked = []

    def load(name, _):
        asked.append(name)
        return reader_model

    service = opened(
        settings(reader="strong", passages_read_again=2), parts=replace(parts, load_reader_model=load)
    )
    assert asked == ["reader", "reader-mpnet"]
    assert isinstance(service.pipeline.reader, SecondReader)
    assert service.models.reader == "strong"
    small = opened(settings(reader="small"))
    assert service.models.reader_sha256 not in (None, small.models.reader_sha256)
    with_spans = [reading for reading in service.pipeline.answer(QUESTION).readings if reading.spans]
    assert 0 < len(with_spans) <= 2
    other = opened(settings(reader="strong"), parts=replace(parts, load_reader_model=load))
    assert other.models.reader_sha256 != service.models.reader_sha256


@pytest.mark.parametrize(("reader", "kind"), [("small", TrainedReader), ("lexical", LexicalReader)])
def test_the_reader_alone_needs_no_language_model(settings, parts, opened, reader, kind):
    without = replace(parts, writing=partial(writing, load=None))
    service = opened(settings(reader=reader, generator="reader"), parts=without)
    assert isinstance(service.pipeline.reader, kind)
    assert isinstance(service.pipeline.generator, ReaderGenerator)
    assert service.language_model is service.models.language_model is None


def test_the_description_names_what_decides_the_reading(settings, opened):
    asked = settings(passages_read=3)
    assert opened(asked).description()["stages"]["read"] == {
        "reader": "small",
        "reader_sha256": "f" * 64,
        "passages_read": 3,
    }
    asked = settings(reader="lexical")
    assert opened(asked).description()["stages"]["read"] == {
        "reader": "lexical",
        "reader_sha256": None,
        "passages_read": 8,
    }


def test_the_citation_head_cites_what_was_generated_for_the_reader_to_cite(settings, opened):
    service = opened(settings())
    generated = {
        citer: replace(service, settings=settings(citer=citer)).description()["stages"]["generate"]
        for citer in ("reader", "lm-head", "constrained")
    }
    assert generated["lm-head"] == generated["reader"] != generated["constrained"]


def test_what_was_generated_from_other_spans_of_the_reader_is_not_taken_for_the_same(settings, opened):
    """A run from before there were several of a passage has other candidates."""
    service = opened(settings())
    assert service.description()["stages"]["generate"]["spans_extracted"] == [3, 3, 1, 1, 1]


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
    assert given["calibration"] == calibration
    assert given["confidence"] == pytest.approx(0.8)


@pytest.mark.parametrize("cut_short", [True, False])
def test_the_calibration_does_not_apply_to_an_answer_that_was_cut_short(
    settings, cut_short, opened, fitted_for
):
    beside(settings(), fitted_for(settings()))
    service, asked = opened(settings()), Ask(QUESTION)
    trace = replace(answered(service, asked), cut_short=cut_short)
    given = response_of(trace, asked, service).as_json()
    assert given["calibration"] == {"fitted_on": "towers", "applies": not cut_short}


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


def among_weights(calibrator, folder):
    """A folder of weights that has this calibrator, and an entry for it in its manifest."""
    folder.mkdir()
    calibrator.save(folder / CALIBRATOR_FILE)
    entry = ShippedWeights(
        file=CALIBRATOR_FILE,
        sha256=sha256_of(folder / CALIBRATOR_FILE),
        kind=CALIBRATOR_KIND,
        base_sha256="f" * 64,
        licence="Apache-2.0",
        command="loccit calibrate",
        data="ab",
        seed=0,
    )
    record_weights("calibrator", entry, folder)
    return folder


def test_the_shipped_calibrator_is_used_where_the_index_has_none(settings, tmp_path, opened, fitted_for):
    calibrator = fitted_for(settings(), name="shipped")
    among_weights(calibrator, tmp_path / "weights")
    calibration = opened(settings()).calibration
    assert (calibration.calibrator, calibration.applies) == (calibrator, True)


@pytest.mark.parametrize(("reader", "used"), [("f" * 64, "own"), ("1" * 64, "shipped")])
def test_the_indexs_own_calibrator_comes_first_if_it_knows_the_models(
    settings, tmp_path, reader, used, opened, fitted_for
):
    shipped = fitted_for(settings(), name="shipped")
    among_weights(shipped, tmp_path / "weights")
    models = {**shipped.fitted_on.models, "reader": reader}
    beside(settings(), replace(shipped, fitted_on=replace(shipped.fitted_on, name="own", models=models)))
    assert opened(settings()).calibration.calibrator.fitted_on.name == used


OTHER_INDEX = {"index": "0" * 64}
OTHER_SETTINGS = {"settings": {"top_k": 1}}


@pytest.mark.parametrize(
    ("own", "shipped", "used"),
    [
        ({}, {}, ("own", True)),
        (OTHER_INDEX, {}, ("shipped", True)),
        (OTHER_SETTINGS, {}, ("shipped", True)),
        ({}, OTHER_INDEX, ("own", True)),
        (OTHER_INDEX, OTHER_INDEX, ("own", False)),
        (OTHER_SETTINGS, OTHER_INDEX, ("own", False)),
    ],
)
def test_a_calibrator_that_applies_is_preferred_then_the_indexs_own(
    settings, tmp_path, own, shipped, used, opened, fitted_for
):
    fitted = {
        name: fitted_for(settings(), name=name, **changes)
        for name, changes in (("own", own), ("shipped", shipped))
    }
    among_weights(fitted["shipped"], tmp_path / "weights")
    beside(settings(), fitted["own"])
    calibration = opened(settings()).calibration
    assert (calibration.calibrator.fitted_on.name, calibration.applies) == used


@pytest.mark.parametrize(
    ("own", "given", "shipped", "used"),
    [
        (None, {}, {}, ("given", True)),
        (None, OTHER_INDEX, {}, ("shipped", True)),
        (None, OTHER_INDEX, OTHER_INDEX, ("given", False)),
        ({}, {}, {}, ("own", True)),
        (OTHER_INDEX, {}, {}, ("given", True)),
        (OTHER_INDEX, OTHER_SETTINGS, {}, ("shipped", True)),
        (OTHER_INDEX, OTHER_INDEX, OTHER_INDEX, ("own", False)),
    ],
)
def test_the_calibrator_of_the_weights_folder_comes_after_the_indexs_own_and_before_the_shipped_one(
    settings, tmp_path, own, given, shipped, used, opened, fitted_for
):
    def fitted(name, changes):
        return fitted_for(settings(), name=name, **changes)

    folder = among_weights(fitted("given", given), tmp_path / "given")
    among_weights(fitted("shipped", shipped), tmp_path / "weights")
    if own is not None:
        beside(settings(), fitted("own", own))
    calibration = opened(settings(weights=folder)).calibration
    assert (calibration.calibrator.fitted_on.name, calibration.applies) == used


def test_a_calibrator_in_the_weights_folder_that_its_manifest_does_not_name_is_not_used(
    settings, tmp_path, opened, fitted_for
):
    folder = among_weights(fitted_for(settings()), tmp_path / "given")
    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    (folder / MANIFEST_FILE).write_text(
        json.dumps({"other": {**manifest["calibrator"], "kind": "other"}}), encoding="utf-8"
    )
    assert opened(settings(weights=folder)).calibration is None


def test_a_damaged_calibrator_in_the_weights_folder_is_a_sentence(settings, tmp_path, opened, fitted_for):
    folder = among_weights(fitted_for(settings()), tmp_path / "given")
    (folder / CALIBRATOR_FILE).write_text("{}")
    with pytest.raises(ModelUnusableError, match=r"calibrator\.json has sha256 .*, but the manifest says"):
        opened(settings(weights=folder))


def test_a_damaged_calibrator_beside_the_index_is_a_sentence(settings, notes_index, opened):
    (notes_index / CALIBRATOR_FILE).write_text("{}")
    with pytest.raises(ModelUnusableError, match="is no calibrator that this version reads"):
        opened(settings())


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
    assert shipped.settings == fitted_for(asked).fitted_on.settings  # the defaults


def test_a_folder_without_weights_is_refused_in_a_sentence(settings, tmp_path, opened):
    with pytest.raises(
        ModelUnusableError, match=f"^{tmp_path} has no manifest.json that names weights; give the"
    ):
        opened(settings(weights=tmp_path))


def test_an_index_of_another_encoder_is_refused_with_both_names(settings, opened, parts):
    class Shorter(HashingEncoder):
        name = "shorter"

    another = replace(parts, load_encoder=lambda name, **_: Shorter(128))
    sentence = "was made with the encoder 'hashing' .* but 'shorter' .* is asked to search it"
    with pytest.raises(IndexUnusableError, match=sentence):
        open_retriever(settings(), parts=another)
    with pytest.raises(IndexUnusableError, match=sentence):
        opened(settings(), parts=another)


def test_the_lexical_support_is_recorded_by_a_name_that_renaming_its_class_leaves_alone(settings, opened):
    service = opened(settings())
    assert service.models.support == LexicalSupport.identity == "LexicalSupport"


class LooksUpMore:
    """A generator in the manner of RETRO: it looks passages up by what it has written so far."""

    def __init__(self, retriever):
        self._retriever = retriever

    def generate(self, question, readings, *, kind, n, seed, deadline):
        neighbours = self._retriever.retrieve(f"{question} Winstanley", k=5)
        return [
            Candidate(hit.passage.text, hit.passage, CandidateSource.LM, logprob=0.0, tokens=1)
            for hit in neighbours
        ]


@pytest.fixture
def looking_up(settings, opened, parts):
    """A service whose generator looks passages up while it writes."""
    return opened(settings(), parts=replace(parts, writing=lambda _: Writing(LooksUpMore)))


def titles(candidates):
    return {candidate.passage.title for candidate in candidates}


def test_a_generator_may_look_passages_up_while_it_writes(looking_up):
    assert titles(looking_up.pipeline.answer(QUESTION).candidates) == {"Towers", "trams"}


def test_over_given_documents_it_looks_up_those_alone(looking_up):
    given = Document("g", "Given", "Henry Winstanley built it.")
    assert titles(looking_up.over([given]).answer(QUESTION).candidates) == {"Given"}


def test_a_document_that_is_hidden_from_a_question_is_hidden_from_such_a_generator(looking_up):
    hidden = Question("h", QUESTION, (), WITHOUT_GOLD, gold_document_id="towers.md")
    pipeline = pipeline_for(hidden, configuration_of("full"), looking_up)
    assert titles(pipeline.answer(QUESTION).candidates) == {"trams"}


def test_a_language_model_behind_a_server_answers_and_is_known_by_what_the_server_says(
    settings, opened, parts
):
    """Text in and text out: no tokenizer, no probabilities, no weights."""
    lm = TextOnlyLM(
        lambda asked: "Henry Winstanley" if "Eddystone" in asked["prompt"].split("Passage:")[-1] else ""
    )
    served = replace(parts, writing=partial(writing, load=lambda _: lm))
    service = opened(settings(reader="lexical", min_confidence=0.0), parts=served)
    record = service.description()
    assert record["models"]["language_model_sha256"] == lm.identity
    assert record["stages"]["generate"]["language_model_sha256"] == lm.identity
    trace = service.pipeline.answer(QUESTION)
    (candidate,) = trace.candidates
    assert (candidate.answer, candidate.logprob, candidate.tokens) == ("Henry Winstanley", 0.0, 0)
    (cited,) = trace.cited
    assert cited.confidence == cited.citations[0].support  # no probability of the writer's to weigh it by


def test_the_record_of_each_stage_keeps_its_names_and_values(settings, opened):
    """Held by value: prediction files and calibrators of earlier versions have these."""
    service = opened(settings())
    assert service.description()["stages"] == {
        "retrieve": {
            "generation": service.index.generation,
            "encoder_sha256": HashingEncoder().sha256,
            "retrieval": "hybrid",
            "top_k": 20,
        },
        "read": {"reader": "small", "reader_sha256": "f" * 64, "passages_read": 8},
        "generate": {
            "generator": "lm",
            "language_model_sha256": "0" * 64,
            "adapter_sha256": None,
            "passages_together": 2,
            "quoting": False,
            "candidates": 1,
            "spans_extracted": [3, 3, 1, 1, 1],
            "evidence_tokens": 256,
            "seed": 0,
            "length": "auto",
        },
    }


def test_opened_again_it_answers_from_what_is_current_with_the_models_it_has(
    settings, parts, notes, notes_index, loccit
):
    loaded = []

    def counted(name):
        load = getattr(parts, name)
        return {name: lambda *arguments, **named: loaded.append(name) or load(*arguments, **named)}

    counting = replace(
        parts,
        **counted("load_encoder"),
        **counted("load_reader_model"),
        **counted("writing"),
        **counted("composer"),
    )
    service = open_service(settings(), parts=counting)
    once = list(loaded)
    (notes / "towers.md").write_text("# Towers\n\nJohn Smeaton built the first Eddystone tower in 1759.")
    loccit("index", "build", notes, "--out", notes_index, "--encoder", "hashing", "--words", 20)
    again = service.reopened()
    assert loaded == once
    assert again.index.generation == (notes_index / "CURRENT").read_text().strip() != service.index.generation
    assert response(again, Ask(QUESTION, min_confidence=0.0))["generation"] == again.index.generation
    for opened_service, name in ((service, "Winstanley"), (again, "Smeaton")):
        assert name in opened_service.pipeline.retriever.document("towers.md").text
        assert opened_service.index.lexical.search(name, k=1)
        assert opened_service.pipeline.retriever.retrieve(QUESTION, k=1)[0].passage.text.count(name) == 1


def test_opened_again_it_looks_for_a_calibrator_anew(settings, opened, fitted_for):
    service = opened(settings())
    assert service.calibration is None
    beside(settings(), fitted_for(settings()))
    again = service.reopened()
    assert again.calibration.applies
    assert isinstance(again.pipeline.confidence, CalibratedConfidence)


def test_an_index_in_memory_is_not_opened_again():
    from tests.app.http.conftest import service_over

    with pytest.raises(IndexUnusableError, match="in memory cannot be opened again"):
        service_over().reopened()
