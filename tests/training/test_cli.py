"""`loccit train`: what is missing is named before anything is loaded, and what is asked for is trained."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.answering.cross_encoders import reader_model
from app.answering.language_models import transformers_lm
from common.errors import LoccitError
from training import cli
from training.adapter import train as adapter
from training.adapter.train import RATE_GOING_ON, AdapterSettings


@pytest.mark.parametrize("command", ["adapter", "lm-head --start weights", "support"])
def test_without_peft_the_package_to_install_is_named(command, monkeypatch):
    monkeypatch.setattr(cli, "find_spec", lambda name: None)
    result = CliRunner().invoke(cli.cli, command.split())
    assert isinstance(result.exception, LoccitError)
    assert str(result.exception) == "This training needs peft; install it with `pip install 'loccit[train]'`."


@pytest.fixture
def adapter_training(monkeypatch):
    """Runs the command with these options; how it asked for the training."""
    asked = {}
    monkeypatch.setattr(adapter, "train", lambda *_, **named: asked.update(named))
    monkeypatch.setattr(transformers_lm, "load_model", lambda name, **_: f"the model {name}")
    monkeypatch.setattr(reader_model, "load_reader_model", lambda *, folder: f"the reader in {folder}")

    def run(command, *options):
        result = CliRunner().invoke(cli.cli, [command, *options], catch_exceptions=False)
        assert result.exit_code == 0
        return asked

    return run


def test_an_adapter_that_begins_with_another_is_trained_at_a_lower_rate(adapter_training):
    sizes = ["--examples", "40", "--rank", "3", "--seed", "2"]
    asked = adapter_training("adapter", *sizes, "--start", "old/weights", "--answers-of", "half")
    assert asked["settings"] == AdapterSettings(examples=40, rank=3, seed=2, rate=RATE_GOING_ON)
    assert AdapterSettings().rate > RATE_GOING_ON
    assert (asked["start"], asked["answers_of"]) == (Path("old/weights"), "the reader in half")
    assert asked["command"] == (
        "loccit train adapter --language-model gemma-3-270m --examples 40 --rank 3 --seed 2 "
        "--start old/weights --answers-of half"
    )


def test_the_mean_of_two_adapters_can_be_asked_for(adapter_training):
    asked = adapter_training("adapter", "--start", "old/weights", "--averaged")
    assert asked["settings"] == AdapterSettings(rate=RATE_GOING_ON, averaged=True)
    assert asked["command"].endswith("--seed 0 --start old/weights --averaged")


def test_an_adapter_begins_with_nothing_unless_told_otherwise(adapter_training):
    asked = adapter_training("adapter")
    assert asked["settings"] == AdapterSettings()
    assert (asked["start"], asked["answers_of"]) == (None, None)
    assert asked["command"] == (
        "loccit train adapter --language-model gemma-3-270m --examples 12000 --rank 16 --seed 0"
    )


def test_a_head_alone_begins_with_an_adapter(adapter_training):
    asked = adapter_training("lm-head", "--start", "old/weights", "--examples", "40", "--seed", "2")
    assert asked["settings"] == AdapterSettings(examples=40, seed=2, rate=RATE_GOING_ON, head_only=True)
    assert (asked["start"], asked["answers_of"]) == (Path("old/weights"), None)
    assert asked["command"] == (
        "loccit train lm-head --language-model gemma-3-270m --examples 40 --seed 2 --start old/weights"
    )
    assert CliRunner().invoke(cli.cli, ["lm-head"]).exit_code == 2
