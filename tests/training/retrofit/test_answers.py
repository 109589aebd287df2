"""Learning to answer with a retrofit: what each mode learns, and that a run that stopped goes on."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.answering.retro.evidence_mode import EvidenceMode
from app.answering.retro.files import WEIGHTS_FILE, write_config
from app.answering.retro.modules import RetroModules
from app.answering.retro.settings import RetroSettings
from retriever.encoder import HashingEncoder
from tests.tiny_models import HIDDEN
from tests.training.retrofit.test_retrofit import base
from training.loop.run import Pace, training_dtype
from training.retrofit.answers import AnswersSettings, AnswersTask, train_answers

SHAPE = RetroSettings(layers=(1, 2), hidden=HIDDEN, chunk=16, value=64, heads=4, head_width=8, rank=3)


@pytest.fixture
def retrofit(tmp_path):
    folder = tmp_path / "retrofit"
    write_config(folder, SHAPE, base_name="toy", base_sha256="f" * 64)
    torch.manual_seed(3)
    modules = RetroModules(SHAPE)
    for attention in modules.attention:
        torch.nn.init.constant_(attention.gate, 0.01)
        for change in (attention.asked, attention.written):
            torch.nn.init.normal_(change.up.weight, std=0.1)
    save_file(modules.state_dict(), folder / WEIGHTS_FILE)
    return folder


def settings_of(mode, **changes):
    return AnswersSettings(mode, examples=24, examples_per_step=4, rank=2, rate=3e-3, **changes)


def encoder_of(mode):
    return HashingEncoder(dimension=16) if mode is EvidenceMode.PREFIX else None


def learn(data, out, retrofit, quiet, mode, **changes):
    return train_answers(
        data,
        out,
        base(),
        retrofit,
        encoder_of(mode),
        quiet,
        settings=settings_of(mode),
        licence="of the toy",
        command="loccit train retrofit-answers",
        **changes,
    )


@pytest.mark.parametrize("mode", list(EvidenceMode))
def test_each_mode_learns_what_it_uses_and_nothing_else(data, retrofit, mode):
    task = AnswersTask(data, base(), retrofit, encoder_of(mode), settings_of(mode))
    kinds = {"low-rank" if "lora" in name else name.split(".")[0] for name in task.parameters}

    assert (
        kinds
        == {
            EvidenceMode.PROMPT: {"low-rank"},
            EvidenceMode.ATTENTION: {"low-rank", "retro"},
            EvidenceMode.BOTH: {"low-rank", "retro"},
            EvidenceMode.PREFIX: {"low-rank", "prefix"},
        }[mode]
    )
    task.model.modules.to(training_dtype())
    if task._prefix is not None:
        task._prefix.to(training_dtype())
    part = task.parts(0, 1)[0]
    gradients = torch.autograd.grad(
        task.losses(part).total, list(task.parameters.values()), materialize_grads=True
    )
    reached = {
        name for name, gradient in zip(task.parameters, gradients, strict=True) if gradient.abs().max() > 0
    }
    # B of a low-rank change is zero at first, so no gradient reaches its A
    assert {name for name in task.parameters if "lora_A" not in name} <= reached


@pytest.mark.parametrize("mode", [EvidenceMode.ATTENTION, EvidenceMode.PREFIX])
def test_a_run_that_stopped_ends_as_one_that_did_not(data, tmp_path, retrofit, quiet, mode):
    whole = learn(data, tmp_path / "whole", retrofit, quiet, mode, pace=Pace(threads=1))
    assert (
        learn(data, tmp_path / "parts", retrofit, quiet, mode, pace=Pace(threads=1, stop_at_step=2)) is None
    )
    again = learn(data, tmp_path / "parts", retrofit, quiet, mode, pace=Pace(threads=1))
    name = f"retrofit-answers-{mode}-toy"
    paths = [tmp_path / run / "weights" / name / "retrofit-answers.safetensors" for run in ("whole", "parts")]

    assert whole is not None
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert {source: found["em_given"] for source, found in again.items()} == {
        source: found["em_given"] for source, found in whole.items()
    }
    entry = json.loads((tmp_path / "whole" / "weights" / "manifest.json").read_text())[name]
    assert entry["quality"] == whole
    assert set(entry["made_from"]) == {"retrofit"}
    names = {key.split(".")[0] for key in load_file(paths[0])}
    assert names == {"model", "retro" if mode is EvidenceMode.ATTENTION else "prefix"}


def test_learning_lowers_the_loss(data, retrofit):
    task = AnswersTask(
        data, base(), retrofit, None, AnswersSettings(EvidenceMode.BOTH, examples=8, rank=2, unanswerable=0.0)
    )
    task.model.modules.to(training_dtype())
    parts = task.parts(0, 1)
    weights = list(task.parameters.values())
    optimiser = torch.optim.Adam(weights, lr=0.02)

    def loss():
        return sum(task.losses(part).total for part in parts) / len(parts)

    before = float(loss().detach())
    for _ in range(15):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert float(loss().detach()) < 0.8 * before


def test_questions_are_shown_without_an_answer_as_often_as_is_wanted(data, retrofit):
    silent = AnswersTask(data, base(), retrofit, None, settings_of(EvidenceMode.ATTENTION, unanswerable=1.0))
    told = AnswersTask(data, base(), retrofit, None, settings_of(EvidenceMode.ATTENTION, unanswerable=0.0))
    text = told._asker.text

    def refusals(task):
        parts = [part for step in range(6) for part in task.parts(step, 1)]
        return sum(text(part.answer) == "not in the passages" for part in parts)

    # a group of SQuAD has no passage that does not answer, one of another source may have none that does
    assert 0 <= refusals(told) < refusals(silent) < 24
