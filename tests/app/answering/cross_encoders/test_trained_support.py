"""Trained support: in order, between 0 and 1, alone as together, and refused over another reader."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from app.answering.cross_encoders.cross_encoder import base_model
from app.answering.cross_encoders.low_rank import SCALE
from app.answering.cross_encoders.support_input import SupportTokenizer
from app.answering.cross_encoders.trained_support import SUPPORT_KIND, load_support, trained_support
from app.answering.shipped_weights import ShippedWeights, record_weights
from app.answering.support import Claim
from common.errors import ModelUnusableError
from common.packaged import sha256_of
from tests.training.conftest import HIDDEN, base  # noqa: F401 - a fixture

QUOTE_TOKENS = 60
CLAIMS = [
    Claim(
        f"who kept light {n}?",
        f"mr. keeper {n}",
        "the light",
        f"it was kept by mr. keeper {n % 3}. " * (n % 4),
    )
    for n in range(19)
]


def changes(seed=0, rank=2):
    """Low-rank changes of the toy's first layer, large enough to be felt, and a head."""
    generator = torch.Generator().manual_seed(seed)
    return {
        "layers.0.qkv.lora_A.weight": torch.randn(rank, HIDDEN, generator=generator),
        "layers.0.qkv.lora_B.weight": torch.randn(3 * HIDDEN, rank, generator=generator) * 0.3,
        "head.weight": torch.randn(1, HIDDEN, generator=generator),
        "head.bias": torch.zeros(1),
    }


def entry(path, kind, base_sha256):
    return ShippedWeights(
        file=path.name, sha256=sha256_of(path), kind=kind, base_sha256=base_sha256, licence="", command="",
        data="", seed=0,
    )  # fmt: skip


@pytest.fixture
def weights(base, tmp_path):  # noqa: F811
    """A folder with a toy's reader and support scorer."""
    folder = tmp_path / "weights"
    folder.mkdir()
    save_file(base_model(base).state_dict(), folder / "reader.safetensors")
    save_file(changes(), folder / "support.safetensors")
    sha256 = sha256_of(base / "model.safetensors")
    record_weights("reader", entry(folder / "reader.safetensors", "reader", sha256), folder)
    reader = sha256_of(folder / "reader.safetensors")
    record_weights("support", entry(folder / "support.safetensors", SUPPORT_KIND, reader), folder)
    return folder


@pytest.fixture
def over_the_toy(base):  # noqa: F811
    """What ``load_support`` takes for the installed base model."""
    return {"bases": {sha256_of(base / "model.safetensors"): lambda: base}}


@pytest.fixture
def support(weights, base):  # noqa: F811
    return trained_support(
        weights / "support.safetensors",
        weights / "reader.safetensors",
        base,
        quote_tokens=QUOTE_TOKENS,
        dtype=torch.float32,
    )


def test_no_claims_give_no_scores(support):
    assert support.score([]) == []


def test_scores_are_between_0_and_1_and_differ(support):
    scores = support.score(CLAIMS)
    assert all(0.0 <= score <= 1.0 for score in scores)
    assert len({round(score, 4) for score in scores}) > 10


def test_together_is_as_one_by_one_and_in_order(support):
    together = support.score(CLAIMS)
    assert together == pytest.approx([support.score([claim])[0] for claim in CLAIMS], abs=1e-5)
    assert support.score(CLAIMS[::-1]) == pytest.approx(together[::-1], abs=1e-5)


@pytest.mark.parametrize("part", ["question", "answer", "title", "quote"])
def test_each_of_the_four_is_seen(support, part):
    claim = CLAIMS[1]
    other = replace(claim, **{part: "something else"})
    assert support.score([other]) != pytest.approx(support.score([claim]), abs=1e-6)


def test_a_question_mark_makes_no_difference(support):
    asked = replace(CLAIMS[1], question=CLAIMS[1].question.rstrip("?"))
    assert support.score([asked]) == support.score(CLAIMS[1:2])


def test_an_empty_text_is_no_obstacle(support):
    (score,) = support.score([Claim("", "", "", "")])
    assert 0.0 <= score <= 1.0


def test_a_sequence_is_question_claim_title_quote(base):  # noqa: F811
    tokenizer = SupportTokenizer(base, quote_tokens=2)
    ((ids, types),) = tokenizer.inputs([Claim("a?", "b", "c", "d e f")])
    (one, two, three, four, five) = (tokenizer._ids([letter], 9)[0][0] for letter in "abcde")
    cls, sep = 2, 3
    assert ids == (cls, one, sep, two, sep, three, sep, four, five, sep)
    assert types == (0, 0, 0, 0, 0, 1, 1, 1, 1, 1)


def test_the_changes_are_added_to_the_readers_weights(support, base):  # noqa: F811
    tensors = changes()
    added = SCALE * tensors["layers.0.qkv.lora_B.weight"] @ tensors["layers.0.qkv.lora_A.weight"]
    expected = base_model(base).layers[0].qkv.weight + added
    assert torch.allclose(support._model.encoder.layers[0].qkv.weight, expected, atol=1e-6)
    assert torch.equal(support._model.head.weight, tensors["head.weight"])


def test_what_ships_together_is_loaded(weights, over_the_toy):
    loaded = load_support(folder=weights, **over_the_toy)
    assert loaded.sha256 == sha256_of(weights / "support.safetensors")
    assert len(loaded.score(CLAIMS)) == len(CLAIMS)


def test_another_reader_is_refused_in_a_sentence(weights):
    path = weights / "reader.safetensors"
    manifest = json.loads((weights / "manifest.json").read_text())
    save_file({"other": torch.zeros(1)}, path)
    manifest["reader"]["sha256"] = sha256_of(path)
    (weights / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelUnusableError, match=r"was trained from a reader with sha256 .* train it again"):
        load_support(folder=weights)


def test_another_base_model_is_refused(weights):
    with pytest.raises(ModelUnusableError, match="The reader 'reader' was trained from weights"):
        load_support(folder=weights)


@pytest.mark.parametrize(
    "spoilt",
    [
        {
            "layers.9.qkv.lora_A.weight": torch.zeros(2, HIDDEN),
            "layers.9.qkv.lora_B.weight": torch.zeros(3 * HIDDEN, 2),
        },
        {"layers.0.qkv.lora_A.weight": torch.zeros(2, HIDDEN)},
        {
            "layers.0.qkv.lora_A.weight": torch.zeros(2, 5),
            "layers.0.qkv.lora_B.weight": torch.zeros(3 * HIDDEN, 2),
        },
        {"head.weight": torch.zeros(1, HIDDEN)},
    ],
)
def test_a_file_of_another_shape_is_refused(weights, base, spoilt):  # noqa: F811
    save_file(spoilt, weights / "support.safetensors")
    with pytest.raises(ModelUnusableError, match="does not hold a support scorer"):
        trained_support(weights / "support.safetensors", weights / "reader.safetensors", base)
