"""The encoder computes what the published model does, of either kind."""

import json

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from transformers import BertConfig, BertModel, MPNetConfig, MPNetModel

from app.answering.cross_encoders.cross_encoder import EncoderShape, Packed, base_model, distance_buckets
from app.answering.cross_encoders.reader_input import ReaderTokenizer
from common.errors import ModelUnusableError
from common.mpnet import MPNET, mpnet_folder
from common.packaged import package_folder
from common.torch_runtime import no_progress_bar

_SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
SEQUENCES = [[0, *range(3, 50), *range(3, 50), *range(3, 50), *range(3, 50), 2], [0, 5, 4, 2], [0, 2]]


def saved(kind, folder):
    """A random model whose every weight matters, in a folder; and the model."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        if kind == "mpnet":
            config = MPNetConfig(**_SIZES, max_position_embeddings=514, pad_token_id=1)
            model = MPNetModel(config, add_pooling_layer=False)
        else:
            model = BertModel(BertConfig(**_SIZES, max_position_embeddings=512), add_pooling_layer=False)
        for name, weight in model.named_parameters():
            if "LayerNorm" not in name:
                torch.nn.init.normal_(weight, std=0.3)
    model.save_pretrained(folder)
    return model.eval()


@pytest.mark.parametrize("kind", ["bert", "mpnet"])
def test_the_states_are_those_of_transformers(kind, tmp_path):
    reference = saved(kind, tmp_path)
    model = base_model(tmp_path)
    packed = Packed.of([(ids, [0] * len(ids)) for ids in SEQUENCES])
    with torch.inference_mode():
        found = torch.split(model.states(packed), list(packed.lengths))
        for ids, states in zip(SEQUENCES, found, strict=True):
            expected = reference(input_ids=torch.tensor([ids])).last_hidden_state[0]
            torch.testing.assert_close(states, expected, atol=2e-5, rtol=1e-4)


def test_an_mpnet_gets_two_types_that_change_nothing_yet(tmp_path):
    saved("mpnet", tmp_path)
    model = base_model(tmp_path)
    assert torch.equal(model.types.weight, torch.zeros(2, 16))


def test_an_mpnet_counts_positions_from_after_the_padding_and_has_buckets(tmp_path):
    saved("mpnet", tmp_path)
    shape = EncoderShape.of_config(tmp_path / "config.json")
    assert (shape.positions, shape.first_position, shape.buckets) == (514, 2, 32)


def test_a_bert_has_neither(tmp_path):
    saved("bert", tmp_path)
    shape = EncoderShape.of_config(tmp_path / "config.json")
    assert (shape.first_position, shape.buckets) == (0, 0)
    assert not any(name.startswith("distances") for name in base_model(tmp_path).state_dict())


def test_near_distances_have_buckets_of_their_own_and_far_ones_share():
    buckets = distance_buckets(torch.tensor([-500, -128, -9, -8, -7, -1, 0, 1, 7, 8, 9, 128, 500]), 32)
    assert buckets.tolist() == [15, 15, 8, 8, 7, 1, 0, 17, 23, 24, 24, 31, 31]


def test_another_model_is_refused(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "roberta", "hidden_act": "gelu"}))
    with pytest.raises(ModelUnusableError, match="BERT or MPNet"):
        base_model(tmp_path)


@pytest.mark.parametrize(
    ("special", "begins"), [(["[CLS]", "[SEP]"], "[CLS]"), (["[CLS]", "[SEP]", "<s>", "</s>"], "<s>")]
)
def test_sequences_begin_as_the_model_learnt_it(special, begins, tmp_path):
    tokens = ["[UNK]", *special, "a"]
    tokenizer = Tokenizer(WordPiece({token: n for n, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (one,) = ReaderTokenizer(tmp_path).inputs("a", [("", "a")])
    assert tokens[one.ids[0]] == begins
    assert tokens[one.ids[2]] == tokens[one.ids[-1]] == begins.replace("CLS", "SEP").replace("<s", "</s")


def test_a_tokenizer_with_neither_kind_of_marks_is_refused(tmp_path):
    Tokenizer(WordPiece({"[UNK]": 0}, unk_token="[UNK]")).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ModelUnusableError, match=r"neither <s> nor \[CLS\]"):
        ReaderTokenizer(tmp_path)


@pytest.mark.models
@pytest.mark.skipif(package_folder(MPNET.parts[0][0]) is None, reason="all-mpnet-base-v2 is not installed")
def test_the_published_mpnet_computes_what_transformers_does():
    folder = mpnet_folder()
    model = base_model(folder)
    with no_progress_bar():
        reference = MPNetModel.from_pretrained(folder, add_pooling_layer=False).eval()
    inputs = ReaderTokenizer(folder).inputs(
        "Who built it?", [("Pharos", "Sostratus did. " * 60), ("", "No.")]
    )
    packed = Packed.of([(one.ids, one.types) for one in inputs])
    with torch.inference_mode():
        found = torch.split(model.states(packed), list(packed.lengths))
        for one, states in zip(inputs, found, strict=True):
            expected = reference(input_ids=torch.tensor([one.ids])).last_hidden_state[0]
            torch.testing.assert_close(states, expected, atol=2e-5, rtol=1e-4)
