"""Training the support scorer on a toy: it learns, resumes exactly, and ships."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from app.answering.cross_encoders.cross_encoder import base_model
from app.answering.cross_encoders.trained_support import TrainedSupport, trained_support
from app.answering.shipped_weights import shipped_weights
from app.answering.support import Claim
from common.packaged import sha256_of
from tests.training.support.toy_claims import PLAIN
from training.data.question import Source
from training.loop import run
from training.loop.run import Pace
from training.support import train as training
from training.support.example import SupportExample
from training.support.kinds import Kind
from training.support.train import SupportTrainingSettings, quality, train

SETTINGS = SupportTrainingSettings(claims=40, claims_per_step=4, rate=3e-3, rank=2, quote_tokens=80)


@pytest.fixture
def reader(base, tmp_path):
    path = tmp_path / "toy-reader.safetensors"
    save_file(base_model(base).state_dict(), path)
    return path


def test_quality_is_by_kind_and_by_value():
    scores = {"right": 0.9, "unsure": 0.4, "wrong": 0.6, "bad": 0.1}

    class ByAnswer:
        def score(self, claims):
            return [scores[claim.answer] for claim in claims]

    found = quality(
        ByAnswer(),
        [
            SupportExample(Claim("", answer, "", ""), kind)
            for answer, kind in (
                ("right", Kind.TRUE), ("unsure", Kind.TRUE), ("wrong", Kind.NEIGHBOUR), ("bad", Kind.OTHER_CLAIM)
            )
        ],
    )  # fmt: skip
    assert found["all"] == {
        "claims": 4, "accuracy": 0.5, "auroc": 0.75, "mean_supported": 0.65, "mean_others": 0.35
    }  # fmt: skip
    assert found["true"] == {"claims": 2, "accuracy": 0.5}
    assert found["neighbour"] == {"claims": 1, "accuracy": 0.0, "auroc": 0.5}
    assert found["other-claim"] == {"claims": 1, "accuracy": 1.0, "auroc": 1.0}


def test_an_interrupted_training_ends_with_the_weights_of_an_uninterrupted_one(
    data, base, reader, tmp_path, quiet
):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(data, whole, quiet, settings=SETTINGS, base=base, reader=reader)
    for step in (3, 7):
        stopped = train(
            data, cut, quiet, settings=SETTINGS, base=base, reader=reader, pace=Pace(stop_at_step=step)
        )
        assert stopped is None
    assert train(data, cut, quiet, settings=SETTINGS, base=base, reader=reader) is not None
    expected, found = (load_file(folder / "checkpoint.safetensors") for folder in (whole, cut))
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    names = [folder / "weights/support.safetensors" for folder in (whole, cut)]
    assert sha256_of(names[0]) == sha256_of(names[1])


def test_the_loss_falls(data, base, reader, tmp_path, quiet, monkeypatch):
    monkeypatch.setattr(run, "_SECONDS_BETWEEN_LINES", 0.0)
    shown = replace(PLAIN, sentences=0.0, of_answers={Kind.NEIGHBOUR: 1.0})
    settings = replace(
        SETTINGS, claims=1600, claims_per_step=8, rate=5e-3, rank=8, shown=shown, shares={Source.SQUAD: 1.0}
    )
    train(data, tmp_path / "out", quiet, settings=settings, base=base, reader=reader)
    lines = [json.loads(line) for line in (tmp_path / "out/log.jsonl").read_text().splitlines()]
    losses = [line["support"] for line in lines if "support" in line]
    assert len(losses) == 200
    assert np.mean(losses[-40:]) < 0.5 * np.mean(losses[:40])


def test_what_is_shipped_scores_as_the_trained_model_did(data, base, reader, tmp_path, quiet, monkeypatch):
    scorers = []

    class Kept(TrainedSupport):
        def __init__(self, *arguments, **named):
            super().__init__(*arguments, **named)
            scorers.append(self)

    monkeypatch.setattr(training, "TrainedSupport", Kept)
    settings = replace(SETTINGS, claims=80, rate=1e-2)
    found = train(data, tmp_path / "out", quiet, settings=settings, base=base, reader=reader, command="it")
    path, entry = shipped_weights("support", "support", tmp_path / "out/weights")
    assert (entry.command, entry.seed, entry.licence) == ("it", 0, "Apache-2.0")
    assert entry.base_sha256 == sha256_of(reader)
    assert entry.quality == found
    assert {tensor.dtype for tensor in load_file(path).values()} == {torch.bfloat16}
    shipped = trained_support(path, reader, base, quote_tokens=80, dtype=torch.float32)
    claims = [
        Claim("How many cranes?", str(n), "Port Dover", f"Port Dover has {n % 3} cranes.") for n in range(9)
    ]
    assert shipped.score(claims) == pytest.approx(scorers[-1].score(claims), abs=0.03)
    untrained = trained_support(
        save_nothing(tmp_path, path), reader, base, quote_tokens=80, dtype=torch.float32
    )
    assert shipped.score(claims) != pytest.approx(untrained.score(claims), abs=0.03)


def save_nothing(folder, path):
    """The file with all of its tensors 0."""
    save_file(
        {name: torch.zeros_like(one) for name, one in load_file(path).items()}, folder / "nothing.safetensors"
    )
    return folder / "nothing.safetensors"
