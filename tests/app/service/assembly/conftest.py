"""A service that is opened without weights, and a calibrator for it."""

from dataclasses import replace
from functools import partial

import pytest

from app.answering.confidence.calibrator import (
    CALIBRATOR_FILE,
    Calibrator,
    ThresholdRecord,
)
from app.answering.cross_encoders.reader_model import Judgement
from app.service.ask import answered
from app.service.assembly import Parts, open_service
from app.service.calibration import fitted_on
from app.service.generation import writing
from app.service.response import response_of
from app.service.settings import Settings
from common.deadline import NO_DEADLINE
from retriever.types import Span
from tests.fakes import ScriptedLM

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
