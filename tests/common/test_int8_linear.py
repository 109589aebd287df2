"""Linear layers in integers: near the floating ones, exact in their sums, row by row."""

import pytest
import torch
from torch import nn

from app.answering.language_models.few_rows_linear import FewRowsLinear
from common import int8_linear
from common.errors import ModelUnusableError
from common.int8_linear import Int8Linear, Int8Weight, computes_in_int8, use_int8

needs_int8 = pytest.mark.skipif(
    not computes_in_int8(), reason="the CPU has no fast products of 8-bit integers"
)


@needs_int8
def test_a_weight_is_rounded_to_63_levels_of_each_output():
    weight = torch.tensor([[0.63, -0.63, 0.0], [6.3, 0.1, -3.15]])
    rounded = Int8Weight.of(weight)
    assert torch.allclose(rounded.steps, torch.tensor([0.01, 0.1]))
    assert rounded.zeros.tolist() == [0, 0]


@needs_int8
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [True, False])
def test_a_layer_computes_nearly_the_same(dtype, bias):
    torch.manual_seed(0)
    linear = nn.Linear(96, 128, bias=bias).to(dtype)
    rows = (torch.randn(2, 5, 96) * torch.rand(2, 5, 1) * 10).to(dtype)
    exact, near = linear.float()(rows.float()), Int8Linear(linear.to(dtype))(rows)
    assert near.dtype is dtype
    assert near.shape == (2, 5, 128)
    assert (near.float() - exact).norm() / exact.norm() < 0.02


@needs_int8
@pytest.mark.parametrize("rows", [1, 5, 64])
def test_the_largest_sums_are_exact(rows):
    linear = nn.Linear(384, 64)
    with torch.no_grad():
        linear.weight.fill_(63.0)
        linear.weight[::2] *= -1
        linear.bias.fill_(1.0)
    given = torch.full((rows, 384), 127.0)
    expected = torch.tensor([-1.0, 1.0]).repeat(32) * 63 * 127 * 384 + 1
    assert torch.equal(Int8Linear(linear)(given), expected.expand(rows, -1))
    assert torch.equal(Int8Linear(linear)(-given), (2 - expected).expand(rows, -1))


@needs_int8
def test_a_row_does_not_depend_on_those_beside_it_and_zeros_stay_zeros():
    torch.manual_seed(1)
    layer = Int8Linear(nn.Linear(64, 64, bias=False))
    rows = torch.cat([torch.randn(4, 64), 1000 * torch.randn(1, 64), torch.zeros(1, 64)])
    together = layer(rows)
    assert torch.equal(torch.cat([layer(row[None]) for row in rows]), together)
    assert torch.equal(together[-1], torch.zeros(64))


@needs_int8
def test_every_layer_of_a_model_but_small_ones_is_taken():
    model = nn.Sequential(nn.Linear(8, 64), nn.ModuleDict({"inner": nn.Linear(64, 256)}), nn.Linear(256, 2))
    model[0].__class__ = FewRowsLinear  # as where there is AMX
    use_int8(model)
    assert [type(layer) for layer in (model[0], model[1]["inner"], model[2])] == [
        Int8Linear,
        Int8Linear,
        nn.Linear,
    ]
    assert list(model.state_dict()) == ["2.weight", "2.bias"]  # the floating weights are gone


def test_a_cpu_without_fast_products_is_told(monkeypatch):
    monkeypatch.setattr(int8_linear, "computes_in_int8", lambda: False)
    with pytest.raises(ModelUnusableError, match=r"no fast products .* \(AVX2\); leave int8 off"):
        use_int8(nn.Linear(64, 64))
