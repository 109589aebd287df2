"""The commands of a retrofit, one after the other, over a toy corpus and a language model in a local folder."""

import json

import pytest

from app.answering.language_models.transformers_lm import load_model
from tests.tiny_models import BYTES, byte_tokenizer, llama
from tests.training.retrofit.test_retrofit import documents


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    llama(BYTES).save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "toy.jsonl"
    lines = [{"id": one.doc_id, "title": one.title, "text": one.text} for one in documents()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_from_documents_to_a_report(loccit, corpus, model, tmp_path):
    data, run, out = tmp_path / "data", tmp_path / "run", tmp_path / "report"
    told = ["--language-model", model, "--threads", 1]
    made = ["retrofit-data", corpus, "--out", data, "--encoder", "hashing", "--windows", 20, "--seed", 4]
    status, _, said = loccit("train", *made, *told)
    assert status == 0, said
    assert "20 windows to learn from, and " in said
    learnt = ["retrofit", "--data", data, "--out", run, "--tokens", 3000]
    status, _, said = loccit("train", *learnt, *told)
    assert status == 0, said
    assert "GFLOP" in said
    assert "Training tokens" in said
    [weights] = (run / "weights").glob("retrofit-*")
    entry = json.loads((run / "weights" / "manifest.json").read_text())[weights.name]
    assert entry["base_sha256"] == load_model(str(model), cache_dir=tmp_path, offline=True, dtype=None).sha256
    assert "--tokens 3000 --neighbours 2 --seed 0" in entry["command"]

    asked = ["retrofit-report", "--data", data, "--weights", weights, "--run", run, "--out", out]
    status, _, said = loccit("train", *asked, *told)

    assert status == 0, said
    assert "| none: the base model |" in said
    report = json.loads((out / "report.json").read_text())
    assert report["weights"] == entry["sha256"][:12]
    assert {row["neighbours"] for row in report["bits_per_byte"]} == {0, 1, 2, 4, 10}


@pytest.mark.parametrize("command", ["retrofit", "retrofit-report"])
def test_without_data_a_command_says_what_to_do(loccit, tmp_path, command):
    data = tmp_path / "none"
    status, _, said = loccit("train", command, "--data", data, "--out", tmp_path / "out")
    assert status != 0
    assert f"There is no data of a retrofit in {data}" in said
    assert f"loccit train retrofit-data CORPUS --out {data}" in said


def test_a_report_of_no_weights_says_what_to_do(loccit, corpus, model, tmp_path):
    data, told = tmp_path / "data", ["--language-model", model]
    made = ["retrofit-data", corpus, "--out", data, "--encoder", "hashing", "--windows", 20, "--seed", 4]
    assert loccit("train", *made, *told)[0] == 0
    asked = ["retrofit-report", "--data", data, "--weights", tmp_path, "--out", tmp_path / "report"]
    status, _, said = loccit("train", *asked, *told)
    assert status != 0
    assert "There is no retrofit in" in said
    assert "loccit train retrofit" in said


def test_a_corpus_of_which_nothing_is_held_out_is_refused(loccit, corpus, model, tmp_path):
    made = ["retrofit-data", corpus, "--out", tmp_path / "data", "--encoder", "hashing", "--seed", 3]
    status, _, said = loccit("train", *made, "--language-model", model)
    assert status != 0
    assert "No document could be held out to measure on." in said
    learnt = ["retrofit", "--data", tmp_path / "data", "--out", tmp_path / "run", "--language-model", model]
    status, _, said = loccit("train", *learnt)
    assert status != 0
    assert "holds out no document of two chunks; give a larger corpus" in said
    assert not (tmp_path / "run" / "checkpoint.safetensors").exists()
