"""Linear layers in integers: inputs of 8 bits, each row on a scale of its own, weights of 7, each output on its own."""

import torch
from torch import Tensor, nn

WEIGHT_LEVELS = 63
"""Of a weight, on either side of 0. CPUs without VNNI add two products in 16 bits, and 2 * 255 * 63 is within them."""
_MIDDLE = 128  # the step that means 0: oneDNN takes inputs without a sign
_INPUT_LEVELS = 127
_SMALLEST = 1e-9  # keeps a row of zeros from being divided by 0
_LEAST_OUTPUTS = 64  # a smaller layer costs next to nothing


def computes_in_int8() -> bool:
    """Whether the CPU multiplies 8-bit integers faster than floating point (AVX2 and later), and torch offers it."""
    if not hasattr(torch.ops.onednn, "qlinear_pointwise"):
        return False
    ask = getattr(torch.cpu, "get_capabilities", None)
    can = {} if ask is None else ask()
    return bool(can.get("avx2", False))


class Int8Weight:
    """A weight, (out, in), rounded and laid out as oneDNN wants it.

    ``steps``: what a level of each output is worth, (out,). ``zeros``: which level means 0: 0, (out,).
    """

    def __init__(self, weight: Tensor) -> None:
        weight = weight.detach().float()
        self.steps = weight.abs().amax(1).clamp_min(_SMALLEST) / WEIGHT_LEVELS
        levels = (weight / self.steps[:, None]).round().to(torch.int8)
        self.zeros = torch.zeros(len(weight), dtype=torch.int32)
        self.packed: Tensor = torch.ops.onednn.qlinear_prepack(levels.contiguous(), None)


class Int8Linear(nn.Module):
    """``nn.Linear`` in integers. A row's result depends on that row alone, so not on what is computed beside it."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self._weight = Int8Weight(linear.weight)
        self._bias = None if linear.bias is None else linear.bias.detach().clone()

    def forward(self, rows: Tensor) -> Tensor:
        """``rows``: (..., in), result: (..., out), in the format of ``rows``."""
        flat = rows.reshape(-1, self.in_features).float()
        steps = flat.abs().amax(1, keepdim=True).clamp_min_(_SMALLEST) / _INPUT_LEVELS
        levels = (flat / steps).round_().to(torch.int8).view(torch.uint8).bitwise_xor_(_MIDDLE)
        weight = self._weight
        product: Tensor = torch.ops.onednn.qlinear_pointwise(
            levels, 1.0, _MIDDLE, weight.packed, weight.steps, weight.zeros,
            None, 1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        product = product.mul_(steps)
        if self._bias is not None:
            product = product.add_(self._bias)
        return product.to(rows.dtype).reshape(*rows.shape[:-1], self.out_features)


def use_int8(model: nn.Module) -> None:
    """Let every linear layer of the model compute in integers, but for small ones; their floating weights go."""
    for module in model.modules():
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear and child.out_features >= _LEAST_OUTPUTS:
                setattr(module, name, Int8Linear(child))
