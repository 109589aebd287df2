r"""A trained adapter: low-rank changes to a language model's projections, added to its weights when it is loaded.

LoRA (Hu et al. 2021, section 4.1): ``W <- W + SCALE B A`` with A (rank, in) and B (out, rank).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

ADAPTER_KIND = "adapter"
PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
SCALE = 2.0
CITATION_PREFIX = "citation."
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"


@torch.no_grad()
def merge(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Add the adapter to the model's weights, in float32 before they are rounded again.

    Raises:
        KeyError, AttributeError: when it belongs to another architecture.
    """
    for name, down in tensors.items():
        if name.endswith(_DOWN):
            projection = name.removesuffix(_DOWN)
            weight, up = model.get_parameter(f"{projection}.weight"), tensors[projection + _UP]
            weight.copy_(weight.float() + SCALE * (up.float() @ down.float()))
