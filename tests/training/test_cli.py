"""`loccit train`: what is missing is named before anything is loaded, and what is asked for is trained."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.answering.confidence.calibrator import Calibrator
from app.answering.cross_encoders import reader_model
from app.answering.shipped_weights import WEIGHTS_FOLDER
from app.service import assembly
from common.errors import LoccitError
from common.packaged import GEMMA, SMOLLM2
from training import base_model, cli, required
from training.adapter import train as adapter
from training.adapter.train import RATE_GOING_ON, AdapterSettings
from training.data import evidence_shards
from training.reader import train as reader
from training.reader.train import TrainingSettings


@pytest.mark.parametrize(
    "command", ["adapter", "lm-head --start weights", "support", "reader --rank 8", "retrofit-answers both"]
)
def test_without_peft_the_package_to_install_is_named(command, monkeypatch):
    monkeypatch.setattr(required, "find_spec", lambda name: None)
    result = CliRunner().invoke(cli.cli, command.split())
    assert isinstance(result.exception, LoccitError)
    assert str(result.exception) == "This training needs peft; install it with `pip install 'loccit[train]'`."


def test_without_datasketch_the_package_to_install_is_named(monkeypatch):
    monkeypatch.setattr(required, "find_spec", lambda name: None)
    result = CliRunner().invoke(cli.cli, ["retrofit-data", "articles.jsonl"])
    assert str(result.exception) == (
        "This training needs datasketch; install it with `pip install 'loccit[train]'`."
    )


def test_what_the_confidence_is_fitted_on_is_missed_before_anything_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(assembly, "open_service", None)
    into = WEIGHTS_FOLDER / "calibrator-strong.json"
    result = CliRunner().invoke(cli.cli, ["confidence", "--into", str(into), "--data", str(tmp_path)])
    assert isinstance(result.exception, LoccitError)
    assert str(result.exception) == (
        f"{tmp_path} holds no finished evidence; make it with `loccit train data DIR --evidence-only`."
    )


def test_a_confidence_is_fitted_to_answers_of_the_settings_that_the_calibrator_has(tmp_path, monkeypatch):
    class OpenedError(Exception):
        pass

    def opened(settings, *, abstains, parts):
        raise OpenedError(settings, abstains, parts)

    calibrator = Calibrator.load(WEIGHTS_FOLDER / "calibrator-strong.json")
    into, data = tmp_path / "calibrator.json", tmp_path / "data"
    settings = {**calibrator.fitted_on.settings, "generator": "reader", "top_k": 12}
    replace(calibrator, fitted_on=replace(calibrator.fitted_on, settings=settings)).save(into)
    monkeypatch.setattr(evidence_shards, "PreparedEvidence", lambda _: None)
    monkeypatch.setattr(assembly, "open_service", opened)
    command = ["confidence", "--into", str(into), "--data", str(data), "--reader", "strong"]
    asked, abstains, parts = CliRunner().invoke(cli.cli, command).exception.args
    assert (abstains, parts) == (False, assembly.LAZY_PARTS)
    assert (asked.generator, asked.top_k, asked.reader) == ("reader", 12, "strong")


@pytest.mark.parametrize("model", [SMOLLM2, GEMMA], ids=lambda each: each.name)
def test_a_confidence_is_fitted_to_answers_of_the_language_model_that_the_calibrator_has(
    model, tmp_path, monkeypatch
):
    """Else the law would weigh what another model makes of the answers, and nobody would know."""

    class Opened:
        def __init__(self, settings, **_):
            asked.append(settings.language_model)

        encoder = None
        models = property(lambda self: self)

        def digests(self, _):
            return {**models, "language_model": "another"}

    asked: list[str] = []
    calibrator = Calibrator.load(WEIGHTS_FOLDER / "calibrator-strong.json")
    into = tmp_path / "calibrator.json"
    models = {**calibrator.fitted_on.models, "language_model": model.sha256}
    replace(calibrator, fitted_on=replace(calibrator.fitted_on, models=models)).save(into)
    monkeypatch.setattr(evidence_shards, "PreparedEvidence", lambda _: None)
    monkeypatch.setattr(assembly, "open_service", Opened)
    result = CliRunner().invoke(cli.cli, ["confidence", "--into", str(into), "--data", str(tmp_path)])
    assert asked == [model.name]
    assert str(result.exception) == (
        f"{into} was fitted on other models than those that answer here; give the reader, the language model and the "
        "weights that it was fitted with."
    )
    CliRunner().invoke(cli.cli, ["confidence", "--into", str(into), "--language-model", "models/own"])
    assert asked[1:] == ["models/own"]


@pytest.fixture
def adapter_training(monkeypatch):
    """Runs the command with these options; how it asked for the training."""
    asked = {}
    monkeypatch.setattr(adapter, "train", lambda *_, **named: asked.update(named))
    monkeypatch.setattr(base_model, "load_model", lambda name, **_: f"the model {name}")
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
        "loccit train adapter --language-model smollm2-135m --examples 40 --rank 3 --seed 2 "
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
        "loccit train adapter --language-model smollm2-135m --examples 12000 --rank 16 --seed 0"
    )


def test_a_head_alone_begins_with_an_adapter(adapter_training):
    asked = adapter_training("lm-head", "--start", "old/weights", "--examples", "40", "--seed", "2")
    assert asked["settings"] == AdapterSettings(examples=40, seed=2, rate=RATE_GOING_ON, head_only=True)
    assert (asked["start"], asked["answers_of"]) == (Path("old/weights"), None)
    assert asked["command"] == (
        "loccit train lm-head --language-model smollm2-135m --examples 40 --seed 2 --start old/weights"
    )
    assert CliRunner().invoke(cli.cli, ["lm-head"]).exit_code == 2


@pytest.fixture
def reader_training(monkeypatch):
    """Runs the command with these options; how it asked for the training."""
    asked = {}
    monkeypatch.setattr(reader, "train", lambda *_, **named: asked.update(named))
    monkeypatch.setattr(reader, "minilm_folder", lambda: Path("the minilm"))
    monkeypatch.setattr(reader, "mpnet_folder", lambda: Path("the mpnet"))

    def run(*options):
        CliRunner().invoke(cli.cli, ["reader", *options], catch_exceptions=False)
        return asked

    return run


def test_the_reader_learns_all_weights_of_minilm_unless_told_otherwise(reader_training):
    asked = reader_training("--groups", "40")
    assert asked["settings"] == TrainingSettings(groups=40)
    assert (asked["base"], asked["start"]) == (Path("the minilm"), None)
    assert asked["command"] == "loccit train reader --groups 40 --seed 0"


def test_the_reader_learns_low_rank_changes_of_mpnet(reader_training):
    asked = reader_training("--base", "mpnet", "--rank", "8", "--groups", "40", "--seed", "2")
    assert asked["settings"] == TrainingSettings.low_rank(8, groups=40, seed=2)
    assert asked["base"] == Path("the mpnet")
    assert asked["command"] == "loccit train reader --groups 40 --base mpnet --rank 8 --seed 2"


def test_a_reader_that_begins_with_another_is_trained_at_a_lower_rate(reader_training):
    rate = reader_training("--rank", "8")["settings"].rate
    asked = reader_training("--rank", "8", "--start", "old/weights")
    assert asked["settings"].rate < rate
    assert asked["start"] == Path("old/weights")
    assert asked["command"].endswith("--rank 8 --start old/weights --seed 0")


def test_a_reader_without_a_rank_goes_on_too(reader_training):
    rate = reader_training()["settings"].rate
    asked = reader_training("--start", "old/weights")
    assert asked["settings"].rate < rate
    assert asked["settings"].rank is None


@pytest.mark.parametrize(
    ("options", "evidence", "broad"),
    [
        ([], 0.0, False),
        (["--broad"], 0.55, True),
        (["--broad", "--evidence-share", "0.8"], 0.8, True),
        (["--evidence-share", "0.75"], 0.75, False),
    ],
)
def test_evidence_is_learnt_from_with_its_heads_or_without(reader_training, options, evidence, broad):
    asked = reader_training(*options)
    assert (asked["settings"].evidence, asked["settings"].broad) == (evidence, broad)
    assert all(option in asked["command"] for option in options)


def test_a_base_that_is_no_name_and_no_folder_is_refused():
    result = CliRunner().invoke(cli.cli, ["reader", "--base", "nowhere"])
    assert "neither minilm, nor mpnet, nor a folder" in str(result.exception)
