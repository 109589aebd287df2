"""Low-rank changes under training: beside each projection of an encoder that stays as it is."""

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn

from app.answering.cross_encoder import CrossEncoder
from app.answering.support_model import DOWN, PROJECTIONS, SCALE, UP


class LowRankLinear(nn.Module):
    """``W x + b + SCALE B A x`` with only A, (rank, in), and B, (out, rank), to learn; B begins as 0."""

    def __init__(self, linear: nn.Linear, rank: int, generator: torch.Generator) -> None:
        super().__init__()
        self.linear = linear.requires_grad_(False)
        down = torch.randn(rank, linear.in_features, generator=generator) / linear.in_features**0.5
        self.lora_a = nn.Parameter(down)
        self.lora_b = nn.Parameter(torch.zeros(linear.out_features, rank))

    def forward(self, states: Tensor) -> Tensor:
        change = F.linear(F.linear(states, self.lora_a), self.lora_b)
        return self.linear(states) + SCALE * change  # type: ignore[no-any-return]


def with_low_rank(encoder: CrossEncoder, *, rank: int, seed: int) -> dict[str, nn.Parameter]:
    """Freeze the encoder, put changes that change nothing yet beside its projections; what is to learn, by name."""
    encoder.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, nn.Parameter] = {}
    for number, layer in enumerate(encoder.layers):
        for name in PROJECTIONS:
            changed = LowRankLinear(getattr(layer, name), rank, generator)
            setattr(layer, name, changed)
            found[f"layers.{number}.{name}{DOWN}"] = changed.lora_a
            found[f"layers.{number}.{name}{UP}"] = changed.lora_b
    return found
