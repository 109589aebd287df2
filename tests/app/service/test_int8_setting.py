"""The setting ``int8``: which models compute in integers, and what that leaves of a calibrator's word."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from app.answering.confidence.calibrator import CALIBRATOR_FILE, Calibrator
from app.answering.language_models.transformers_lm import LoadedModel
from app.service import generation
from app.service.assembly import Parts, open_service
from app.service.calibration import fitted_on
from app.service.generation import language_model, writing
from app.service.settings import Settings
from common.int8_linear import Int8Linear, computes_in_int8

needs_int8 = pytest.mark.skipif(
    not computes_in_int8(), reason="the CPU has no fast products of 8-bit integers"
)


class Rounded:
    """A reader's model that remembers whether it was told to compute in integers."""

    sha256 = "5" * 64

    def __init__(self):
        self.int8 = False

    def use_int8(self):
        self.int8 = True


@pytest.fixture
def opened(notes_index, tmp_path):
    """Opens the notes with ``int8`` as given; hands back the service and the reader's models by name."""

    def of(*, int8, reader="strong"):
        models = {}
        parts = Parts(
            load_reader_model=lambda name, _: models.setdefault(name, Rounded()),
            writing=partial(writing, load=None),
            shipped=tmp_path / "weights",
        )
        settings = Settings.of(index=notes_index, reader=reader, generator="reader", int8=int8)
        return open_service(settings, parts=parts), models

    return of


@pytest.mark.parametrize("int8", [True, False])
def test_both_readers_compute_in_integers_where_that_is_set(opened, int8):
    _, models = opened(int8=int8)
    assert {name: model.int8 for name, model in models.items()} == {"reader": int8, "reader-mpnet": int8}


def test_a_calibrator_applies_to_the_way_of_computing_that_it_was_fitted_with(opened):
    usual, _ = opened(int8=False)
    digests = usual.models.digests(usual.encoder)
    fitted = fitted_on(usual.settings, digests, usual.index, {"name": "towers.jsonl"}, [])
    assert fitted.settings["int8"] is False
    path = usual.settings.index / CALIBRATOR_FILE
    law = {"features": ("support",), "mean": (0.0,), "scale": (1.0,), "weights": (0.0,), "intercept": 1.0}
    Calibrator(fitted_on=fitted, **law).save(path)
    assert opened(int8=False)[0].calibration.applies
    assert not opened(int8=True)[0].calibration.applies
    Calibrator(fitted_on=replace(fitted, settings={**fitted.settings, "int8": True}), **law).save(path)
    assert not opened(int8=False)[0].calibration.applies
    assert opened(int8=True)[0].calibration.applies


@pytest.mark.parametrize("int8", [True, False])
def test_a_run_records_how_was_computed(opened, int8):
    assert opened(int8=int8)[0].description()["stages"]["read"]["int8"] is int8


@needs_int8
@pytest.mark.parametrize("int8", [True, False])
def test_the_layers_of_the_language_model_compute_in_integers_its_words_do_not(monkeypatch, int8):
    config = AutoConfig.for_model(
        "llama",
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=4,
        vocab_size=80,
        eos_token_id=1,
        tie_word_embeddings=False,
    )
    model = AutoModelForCausalLM.from_config(config)
    loaded = LoadedModel("tiny", "6" * 64, model, lambda text, **_: {"input_ids": [ord(c) for c in text]})
    monkeypatch.setattr(generation, "load_model", lambda *_, **__: loaded)
    language_model(Settings(adapter="none", int8=int8))
    kinds = {type(layer) for layer in model.model.layers[0].mlp.children() if hasattr(layer, "in_features")}
    assert kinds == {Int8Linear if int8 else torch.nn.Linear}
    assert type(model.lm_head) is torch.nn.Linear
