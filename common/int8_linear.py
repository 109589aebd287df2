"""Linear layers in integers: inputs of 8 bits, each row on a scale of its own, weights of 7, each output on its own."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from common.errors import ModelUnusableError
from common.torch_runtime import cpu_capabilities

WEIGHT_LEVELS = 63
"""Of a weight, on either side of 0. CPUs without VNNI add two products in 16 bits, and 2 * 255 * 63 is within them."""
_MIDDLE = 128  # the step that means 0: oneDNN takes inputs without a sign
_INPUT_LEVELS = 127
_SMALLEST = 1e-9  # keeps a row of zeros from being divided by 0
_LEAST_OUTPUTS = 64  # a smaller layer costs next to nothing


def computes_in_int8() -> bool:
    """Whether the CPU has vector products of 8-bit integers (AVX2 and later), and torch offers them."""
    return hasattr(torch.ops.onednn, "qlinear_pointwise") and bool(cpu_capabilities().get("avx2", False))


def unsigned(steps: Tensor) -> Tensor:
    """Whole numbers from -128 to 127 as 0 to 255, 8 bits each.

    By way of int8, whose upper half has the other sign: to that torch converts seven times as fast.
    """
    return steps.to(torch.int8).view(torch.uint8).bitwise_xor_(128)


class Int8Weight(NamedTuple):
    """A weight, (out, in), rounded: in the order in which oneDNN's products take its parts.

    ``packed``: the levels, laid out as oneDNN wants them. ``steps``: what a level of each output is worth, (out,).
    ``zeros``: which level means 0, which is 0, (out,).
    """

    packed: Tensor
    steps: Tensor
    zeros: Tensor

    @classmethod
    def of(cls, weight: Tensor) -> "Int8Weight":
        """The weight in floating point, rounded."""
        weight = weight.detach().float()
        steps = weight.abs().amax(1).clamp_min(_SMALLEST) / WEIGHT_LEVELS
        levels = (weight / steps[:, None]).round().to(torch.int8).contiguous()
        packed: Tensor = torch.ops.onednn.qlinear_prepack(levels, None)
        return cls(packed, steps, torch.zeros(len(weight), dtype=torch.int32))


class Int8Linear(nn.Module):
    """``nn.Linear`` in integers. A row's result depends on that row alone, so not on what is computed beside it.

    It is made from a layer whenever a model is loaded: it can be neither copied nor saved.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self._weight = Int8Weight.of(linear.weight)
        self._bias = None if linear.bias is None else linear.bias.detach().clone()

    def forward(self, rows: Tensor) -> Tensor:
        """``rows``: (..., in), result: (..., out), in the format of ``rows``."""
        flat = rows.reshape(-1, self.in_features).float()
        steps = flat.abs().amax(1, keepdim=True).clamp_min_(_SMALLEST) / _INPUT_LEVELS
        levels = unsigned((flat / steps).round_())
        product: Tensor = torch.ops.onednn.qlinear_pointwise(
            levels, 1.0, _MIDDLE, *self._weight, None, 1.0, 0, torch.float32, "none", [], ""
        )
        product = product.mul_(steps)
        if self._bias is not None:
            product = product.add_(self._bias)
        return product.to(rows.dtype).reshape(*rows.shape[:-1], self.out_features)


def use_int8(model: nn.Module) -> None:
    """Let every linear layer of the model compute in integers, but for small ones; their floating weights go.

    Raises:
        ModelUnusableError: when the CPU has no fast products of them.
    """
    if not computes_in_int8():
        raise ModelUnusableError(
            "This CPU has no fast products of 8-bit integers (AVX2); leave int8 off, so that models compute as usual."
        )
    for module in model.modules():
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Linear) and child.out_features >= _LEAST_OUTPUTS:
                setattr(module, name, Int8Linear(child))
