"""Readers loaded over the base models that they were trained on, and those that are shipped."""

import pytest
import torch
from safetensors.torch import save_file

from app.answering.answer_kind import AnswerKind
from app.answering.cross_encoders.cross_encoder import base_model
from app.answering.cross_encoders.low_rank import SCALE
from app.answering.cross_encoders.pointing import LONGEST_CHARACTERS
from app.answering.cross_encoders.reader_model import load_reader_model, reader_model
from app.answering.cross_encoders.reader_weights import PACKAGED_BASES
from app.answering.shipped_weights import ShippedWeights, record_weights
from common.errors import ModelUnusableError
from common.mpnet import MPNET, MPNET_SHA256, mpnet_folder
from common.packaged import MINILM, minilm_folder, package_folder, sha256_of
from retriever.text.sentences import sentence_spans
from tests.training.conftest import HIDDEN, base  # noqa: F401 - a fixture


def test_the_packaged_bases_are_known_by_their_weights():
    assert dict(PACKAGED_BASES) == {MINILM.sha256: minilm_folder, MPNET_SHA256: mpnet_folder}


def test_a_reader_is_loaded_over_the_base_that_its_manifest_names(base, tmp_path):  # noqa: F811
    sha256 = sha256_of(base / "model.safetensors")
    save_file(base_model(base).state_dict(), tmp_path / "reader.safetensors")
    entry = ShippedWeights(
        file="reader.safetensors", sha256=sha256_of(tmp_path / "reader.safetensors"), kind="reader",
        base_sha256=sha256, licence="", command="", data="", seed=0,
    )  # fmt: skip
    record_weights("reader", entry, tmp_path)
    reader = load_reader_model(folder=tmp_path, bases={"0" * 64: tmp_path.resolve, sha256: lambda: base})
    assert reader.sha256 == entry.sha256
    assert len(reader.judge("a", [("b", "c d"), ("", "e")])) == 2


def test_a_reader_over_an_unknown_base_is_refused(tmp_path):
    (tmp_path / "reader.safetensors").write_bytes(b"")
    entry = ShippedWeights(
        file="reader.safetensors", sha256=sha256_of(tmp_path / "reader.safetensors"), kind="reader",
        base_sha256="0" * 64, licence="", command="", data="", seed=0,
    )  # fmt: skip
    record_weights("reader", entry, tmp_path)
    with pytest.raises(ModelUnusableError, match="train it again"):
        load_reader_model(folder=tmp_path)


def test_low_rank_changes_are_added_to_the_base_and_other_weights_take_its_place(base, tmp_path):  # noqa: F811
    generator = torch.Generator().manual_seed(0)
    down, up = torch.randn(2, HIDDEN, generator=generator), torch.randn(3 * HIDDEN, 2, generator=generator)
    tensors = {
        "layers.1.qkv.lora_A.weight": down,
        "layers.1.qkv.lora_B.weight": up,
        "pointer.bias": torch.tensor([1.0, 2.0]),
    }
    save_file(tensors, tmp_path / "reader.safetensors")
    model = reader_model(tmp_path / "reader.safetensors", base, dtype=torch.float32)._model
    expected = base_model(base).state_dict()
    expected["layers.1.qkv.weight"] += SCALE * (up @ down)
    expected["pointer.bias"] = tensors["pointer.bias"]
    found = model.state_dict()
    assert found.keys() == expected.keys()
    for name, one in expected.items():
        torch.testing.assert_close(found[name], one)


def test_changes_for_another_shape_are_refused(base, tmp_path):  # noqa: F811
    tensors = {
        "layers.7.qkv.lora_A.weight": torch.zeros(2, HIDDEN),
        "layers.7.qkv.lora_B.weight": torch.zeros(3 * HIDDEN, 2),
    }
    save_file(tensors, tmp_path / "reader.safetensors")
    with pytest.raises(ModelUnusableError, match="does not hold a reader"):
        reader_model(tmp_path / "reader.safetensors", base)


@pytest.mark.models
@pytest.mark.skipif(package_folder(MPNET.parts[0][0]) is None, reason="all-mpnet-base-v2 is not installed")
def test_the_shipped_reader_over_mpnet_points_at_the_answer():
    window = "The lighthouse of Pharos was built by Sostratus of Cnidus around 280 BC."
    reader = load_reader_model("reader-mpnet")
    right, wrong = reader.judge(
        "who built the lighthouse of pharos", [("Pharos", window), ("", "It rained.")]
    )
    assert right.spans[0][0].of(window) == "Sostratus of Cnidus"
    assert right.answerability > 0.9 > 0.5 > wrong.answerability


@pytest.mark.models
@pytest.mark.parametrize(("letters", "answers"), [(LONGEST_CHARACTERS, 1), (LONGEST_CHARACTERS + 1, 0)])
def test_a_run_without_a_space_is_an_answer_only_up_to_a_length(letters, answers):
    """The tokenizer makes one unknown token of it, so that a limit in tokens does not hold it."""
    reader = load_reader_model()
    (judged,) = reader.judge("what is the key", [("", "c" * letters)])
    assert [len(span) for span, _ in judged.spans] == [letters] * answers


@pytest.mark.models
@pytest.mark.skipif(package_folder(MPNET.parts[0][0]) is None, reason="all-mpnet-base-v2 is not installed")
@pytest.mark.parametrize(
    ("question", "window", "answer", "kind"),
    [
        (
            "which planet has no moons",
            "Mars has two moons. Venus has no moons. Jupiter has 95 moons.",
            "Venus",
            AnswerKind.SHORT,
        ),
        (
            "what is the maximum temperature of the freezer",
            "The minimum temperature of the freezer is -5 °C. The maximum temperature of the freezer is 5 °C.",
            "5 °C",
            AnswerKind.SHORT,
        ),
        (
            "how do I open the lock",
            "The lock was painted green in 1990. To open the lock, turn the key twice.",
            "turn the key twice",
            None,
        ),
    ],
)
def test_the_shipped_broad_reader_finds_answer_and_evidence(question, window, answer, kind):
    (judged,) = load_reader_model("reader-mpnet").judge(question, [("", window)])
    assert judged.spans[0][0].of(window) == answer
    sentences = [span.of(window) for span in sentence_spans(window)]
    surest = max(sentence_spans(window), key=judged.broad.evidence)
    assert surest.of(window) == next(
        sentence for sentence in sentences if answer in sentence.replace("-5 °C", "")
    )
    assert kind in (None, judged.broad.kind)
