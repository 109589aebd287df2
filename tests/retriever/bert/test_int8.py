"""8-bit integers: what is multiplied is near, scales do not depend on what is embedded."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from common import int8_linear
from common.errors import ModelUnusableError
from common.int8_linear import computes_in_int8
from retriever.bert.int8 import Int8Product, Reach, Scale
from retriever.encoder import INT8, HashingEncoder, Int8Encoder, SentenceEncoder, in_precision, load_encoder

needs_int8 = pytest.mark.skipif(
    not computes_in_int8(), reason="the CPU has no fast products of 8-bit integers"
)

TEXTS = [
    "The harbour was dredged in 1887, and steamers called twice a week.",
    "Chlorophyll absorbs blue and red light.",
    "A short one.",
    "Coffee is grown between the tropics; the beans are washed, dried and roasted. " * 6,
    "The parliament meets in the old town hall, whose tower burned down in 1702.",
]


def test_a_scale_holds_its_ends_and_zero_exactly():
    reach = Reach()
    reach.cover(torch.tensor([[-1.5, 0.0, 6.0]]))
    reach.cover(torch.tensor([[2.0, -0.25, 1.0]]))
    assert reach == Reach(-1.5, 6.0)
    scale = Scale.over(reach)
    assert scale.step == pytest.approx(7.5 / 255)
    rows = torch.tensor([[-1.5, 0.0, 6.0, 7.5, -9.0, scale.step * 3.4]])
    assert scale.quantised(rows).tolist() == [[0, 51, 255, 255, 0, 54]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_every_step_comes_back_whatever_the_type(dtype):
    scale = Scale(0.5, 100)
    rows = (torch.arange(256, dtype=torch.float32) - 100) * 0.5
    assert scale.quantised(rows.to(dtype)[None]).tolist() == [list(range(256))]


@needs_int8
def test_a_product_is_that_of_the_rounded_numbers():
    torch.manual_seed(0)
    weight, bias, rows = torch.randn(24, 40), torch.randn(24), torch.randn(7, 40)
    taken, then = Scale.over(Reach(-4.0, 4.0)), Scale.over(Reach(-0.2, 40.0))
    product = Int8Product(weight, bias, taken=taken, then=then, dtype=torch.float32)
    steps = weight.abs().amax(1, keepdim=True) / 63
    rounded_weight = (weight / steps).round() * steps
    rounded = (taken.quantised(rows).float() - taken.zero) * taken.step
    expected = rounded @ rounded_weight.T + bias
    assert torch.allclose(product(rows), expected, atol=1e-3)
    other = torch.randn(7, 24)
    assert torch.allclose(product.plus(rows, other.clone()), expected + other, atol=1e-3)
    levels = product.gelu(rows)
    assert levels.dtype is torch.uint8
    given = (levels.float() - then.zero) * then.step
    assert torch.allclose(given, functional.gelu(expected), atol=then.step * 0.51)
    assert torch.equal(product(taken.quantised(rows)), product(rows))


@needs_int8
@pytest.mark.parametrize("rows", [1, 5, 64])
def test_the_largest_sums_are_exact_on_every_cpu(rows):
    weight = torch.full((32, 384), 63.0)
    weight[::2] *= -1
    product = Int8Product(weight, torch.zeros(32), taken=Scale(1.0, 0), then=None, dtype=torch.float32)
    assert torch.equal(product(torch.full((rows, 384), 255.0)), (255 * weight.sum(1)).expand(rows, -1))


@pytest.fixture(scope="module")
def encoder():
    return load_encoder()


@needs_int8
@pytest.mark.models
def test_passages_are_near_and_questions_the_same(encoder):
    exact = in_precision(encoder, INT8)
    assert (exact.precision, exact.sha256, exact.dimension) == (INT8, encoder.sha256, encoder.dimension)
    assert exact.max_tokens == encoder.max_tokens
    assert exact.count_tokens(TEXTS) == encoder.count_tokens(TEXTS)
    passages, rounded = encoder.encode_passages(TEXTS), exact.encode_passages(TEXTS)
    assert not np.array_equal(passages, rounded)
    assert (passages * rounded).sum(1).min() > 0.98
    assert np.allclose(np.linalg.norm(rounded, axis=1), 1, atol=1e-5)
    assert np.array_equal(exact.encode_queries(TEXTS[:2]), encoder.encode_queries(TEXTS[:2]))


@needs_int8
@pytest.mark.models
def test_a_rounded_vector_depends_on_its_text_alone_and_is_the_same_after_loading_again(encoder):
    rounded = in_precision(encoder, INT8)
    together = rounded.encode_passages(TEXTS)
    alone = np.concatenate([rounded.encode_passages([text]) for text in TEXTS])
    assert np.allclose(together, alone, atol=1e-3)
    assert np.array_equal(load_encoder(int8=True).encode_passages(TEXTS), together)


@needs_int8
@pytest.mark.models
def test_an_encoder_is_asked_for_8_bits_once(encoder):
    rounded = in_precision(encoder, INT8)
    assert isinstance(rounded, Int8Encoder)
    assert in_precision(rounded, INT8) is rounded
    assert in_precision(encoder, "float32") is encoder


def test_an_encoder_without_weights_cannot_compute_in_8_bits():
    with pytest.raises(ModelUnusableError, match="'hashing' has no weights"):
        in_precision(HashingEncoder(), INT8)


@pytest.mark.models
def test_a_cpu_without_fast_products_is_told(encoder, monkeypatch):
    monkeypatch.setattr(int8_linear, "computes_in_int8", lambda: False)
    with pytest.raises(ModelUnusableError, match="AVX2"):
        in_precision(encoder, INT8)


def test_a_model_that_is_no_plain_bert_cannot_compute_in_8_bits(monkeypatch):
    monkeypatch.setattr(int8_linear, "computes_in_int8", lambda: True)
    other = SentenceEncoder.__new__(SentenceEncoder)
    other.name, other.precision, other._packed = "another", "float32", None
    with pytest.raises(ModelUnusableError, match="'another' cannot compute in 8-bit integers"):
        in_precision(other, INT8)
