r"""Low-rank changes to a model's projections, added to its weights when it is loaded.

LoRA (Hu et al. 2021, section 4.1): ``W <- W + SCALE B A`` with A (rank, in) and B (out, rank).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

SCALE = 2.0
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"


def is_low_rank(tensors: Mapping[str, Tensor]) -> bool:
    """Whether there are changes among the tensors."""
    return any(name.endswith(_DOWN) for name in tensors)


def besides(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that are no changes."""
    return {name: one for name, one in tensors.items() if not name.endswith((_DOWN, _UP))}


@torch.no_grad()
def merge(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Add the changes to the model's weights, in float32 before they are rounded again; other tensors are left out.

    Raises:
        KeyError, AttributeError, RuntimeError: when they belong to a model of another shape.
    """
    for name, down in tensors.items():
        if name.endswith(_DOWN):
            projection = name.removesuffix(_DOWN)
            weight, up = model.get_parameter(f"{projection}.weight"), tensors[projection + _UP]
            weight.copy_(weight.float() + SCALE * (up.float() @ down.float()))
