r"""The support model: the reader with low-rank changes and a head of its own on [CLS].

LoRA (Hu et al. 2021, section 4.1): ``W <- W + SCALE B A`` with A (rank, in) and B (out, rank).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from app.answering.cross_encoder import CrossEncoder, Packed

PROJECTIONS = ("qkv", "out", "up", "down")
SCALE = 2.0
DOWN, UP, HEAD = ".lora_a", ".lora_b", "head."


class SupportModel(nn.Module):
    """A cross-encoder that judges claims. Its head begins as the encoder's own judgement of a passage."""

    def __init__(self, encoder: CrossEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.shape.hidden, 1)
        self.head.load_state_dict(encoder.answerability.state_dict())

    def forward(self, packed: Packed) -> Tensor:
        """The logit of each sequence's claim, float32, (S,)."""
        firsts = self.encoder.states(packed)[packed.firsts]
        logits: Tensor = self.head(firsts).float().squeeze(-1)
        return logits


@torch.no_grad()
def merge(model: SupportModel, tensors: Mapping[str, Tensor]) -> None:
    """Add the low-rank changes to the encoder's weights, which are to be float32, and put the head in.

    Raises:
        KeyError, AttributeError, RuntimeError: when they belong to an encoder of another shape.
    """
    for name, down in tensors.items():
        if name.endswith(DOWN):
            projection = name.removesuffix(DOWN)
            weight = model.encoder.get_parameter(f"{projection}.weight")
            weight.add_(SCALE * (tensors[projection + UP].float() @ down.float()))
    model.head.load_state_dict(
        {name.removeprefix(HEAD): one.float() for name, one in tensors.items() if name.startswith(HEAD)}
    )
