"""BERT without padding gives what sentence-transformers gives, and a text's vector is its own."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from retriever.bert import packed_bert
from retriever.bert.packed_bert import PackedBert, packs

WORDS = [
    "tower",
    "the",
    "harbour",
    "1887",
    "o'clock",
    "émigré",
    "\n",
    "of",
    "Thames,",
    "chlorophyll",
    "日本",
    " ",
]


def small_model(folder, *, pooling="mean", act="gelu", heads=3, width=48):
    """A sentence-transformers model with random weights and the given shape."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=width,
        num_attention_heads=heads,
        num_hidden_layers=2,
        intermediate_size=80,
        max_position_embeddings=40,
        hidden_act=act,
        initializer_range=0.3,
    )
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    transformer = Transformer(str(folder), max_seq_length=32)
    modules = [transformer, Pooling(transformer.get_embedding_dimension(), pooling), Normalize()]
    return SentenceTransformer(modules=modules, device="cpu")


def tokens_of(model, texts):
    return [
        model.tokenizer(text, truncation=True, max_length=model.max_seq_length)["input_ids"] for text in texts
    ]


def unit(vectors):
    return nn.functional.normalize(vectors, dim=1).numpy()


texts = st.lists(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join), min_size=1, max_size=12)


@pytest.fixture(scope="module", params=["mean", "cls"])
def model(request, tmp_path_factory):
    return small_model(tmp_path_factory.mktemp("bert"), pooling=request.param)


@settings(max_examples=40, deadline=None)
@given(texts=texts)
def test_the_vectors_are_those_of_sentence_transformers(model, texts):
    packed = PackedBert.of(model, dtype=torch.float32)
    assert packed is not None
    expected = model.encode(texts, show_progress_bar=False)
    assert np.allclose(unit(packed.encode(tokens_of(model, texts))), expected, atol=2e-5)


@settings(max_examples=25, deadline=None)
@given(texts=texts, among=st.sampled_from([(torch.float32, 1e-5), (torch.bfloat16, 0.03)]))
def test_a_texts_vector_does_not_depend_on_those_beside_it(model, texts, among):
    dtype, tolerance = among
    packed = PackedBert.of(model, dtype=dtype)
    assert packed is not None
    tokens = tokens_of(model, texts)
    together = unit(packed.encode(tokens))
    alone = np.concatenate([unit(packed.encode([text])) for text in tokens])
    assert np.allclose(together, alone, atol=tolerance)


def test_without_onednn_the_vectors_are_the_same(model, monkeypatch):
    tokens = tokens_of(model, ["a tower by the sea", "1887", ""])
    packed = PackedBert.of(model, dtype=torch.float32)
    monkeypatch.setattr(packed_bert, "_packs", lambda _: False)
    plain = PackedBert.of(model, dtype=torch.float32)
    assert packed is not None
    assert plain is not None
    assert torch.allclose(packed.encode(tokens), plain.encode(tokens), atol=1e-4)


def test_scores_that_no_exponential_holds_are_computed_the_careful_way(tmp_path):
    model = small_model(tmp_path)
    for layer in model[0].auto_model.encoder.layer:  # scores of thousands
        layer.attention.self.query.weight.data *= 40
        layer.attention.self.key.weight.data *= 40
    texts = ["a tower by the sea", "harbour 1887 of the north", "sea"]
    packed = PackedBert.of(model, dtype=torch.float32)
    assert packed is not None
    vectors = unit(packed.encode(tokens_of(model, texts)))
    assert np.isfinite(vectors).all()
    assert np.allclose(vectors, model.encode(texts, show_progress_bar=False), atol=1e-3)


def test_no_texts_are_no_vectors(model):
    packed = PackedBert.of(model, dtype=torch.float32)
    assert packed is not None
    assert packed.encode([]).shape == (0, 48)


def test_what_is_no_plain_bert_is_left_to_sentence_transformers(tmp_path, model):
    for name, folder in {"relu": tmp_path / "relu", "max": tmp_path / "max"}.items():
        folder.mkdir()
        other = small_model(folder, act="relu") if name == "relu" else small_model(folder, pooling="max")
        assert PackedBert.of(other, dtype=torch.float32) is None

    class Adapted(nn.Linear):
        pass

    (tmp_path / "adapted").mkdir()
    adapted = small_model(tmp_path / "adapted")
    adapted[0].auto_model.encoder.layer[1].output.dense = Adapted(80, 48)
    assert PackedBert.of(adapted, dtype=torch.float32) is None


@given(lengths=st.lists(st.integers(2, 512), max_size=60))
def test_packs_hold_every_text_once_the_longest_first(lengths):
    packed = list(packs(lengths))
    places = [place for pack in packed for place in pack]
    assert sorted(places) == list(range(len(lengths)))
    assert [lengths[place] for place in places] == sorted(lengths, reverse=True)
    assert all(sum(lengths[place] for place in pack) <= packed_bert.TOKENS_TOGETHER for pack in packed)
    assert all(
        sum(lengths[place] for place in pack) + lengths[following[0]] > packed_bert.TOKENS_TOGETHER
        for pack, following in pairwise(packed)
    )


def test_a_text_longer_than_a_pack_is_one(monkeypatch):
    monkeypatch.setattr(packed_bert, "TOKENS_TOGETHER", 10)
    assert list(packs([3, 40, 7, 2])) == [[1], [2, 0], [3]]
