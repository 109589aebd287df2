"""A language model that is loaded when it is asked first says before that which model it is."""

import pytest

from app.answering.evidence_model.adapter import ADAPTER_KIND, AdaptedModel
from app.answering.shipped_weights import name_of, shipped_weights
from app.service import generation
from app.service.generation import language_model_when_asked
from app.service.settings import Settings
from common.packaged import SMOLLM2


class Lm:
    def read(self, question, passages, *, quoted, deadline):
        return question, passages, quoted


@pytest.fixture
def loaded(monkeypatch):
    """The settings that a language model was loaded with, each time."""
    calls = []

    def load(settings):
        calls.append(settings)
        return AdaptedModel("smollm2-135m", "base", "adapter", Lm())

    monkeypatch.setattr(generation, "language_model", load)
    return calls


def test_it_is_loaded_once_with_the_first_question(loaded):
    settings = Settings()
    model = language_model_when_asked(settings)
    _, entry = shipped_weights(name_of(ADAPTER_KIND, SMOLLM2.sha256), ADAPTER_KIND)
    assert (model.name, model.sha256, model.adapter_sha256) == (SMOLLM2.name, SMOLLM2.sha256, entry.sha256)
    assert loaded == []
    for question in ("who?", "when?"):
        assert model.lm.read(question, [("T", "text")], quoted=True) == (question, [("T", "text")], True)
    assert loaded == [settings]


def test_one_without_an_adapter_is_loaded_at_once(loaded):
    settings = Settings(adapter="none")
    assert language_model_when_asked(settings).sha256 == "base"
    assert loaded == [settings]
