"""The shape of what a retrofit adds to a language model."""

from collections.abc import Sequence
from dataclasses import dataclass

FIRST_LAYER, EVERY = 5, 3
"""RETRO's: every third layer from the sixth on. Layers are counted from 0 here."""


@dataclass(frozen=True, slots=True)
class RetroSettings:
    """``chunk``: tokens of a chunk. ``value``: tokens of a neighbour at most, its continuation included.

    ``layers``: those with cross-attention, ascending. ``width``: of the neighbour encoder and of every attention, in
    ``heads``. ``encoder_layers``: of the neighbour encoder; the first one also sees the chunk.
    """

    layers: tuple[int, ...]
    hidden: int
    chunk: int = 64
    value: int = 128
    width: int = 384
    heads: int = 6
    encoder_layers: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if self.width % self.heads:
            raise ValueError(f"A width of {self.width} cannot be shared by {self.heads} heads.")
        if not self.layers or list(self.layers) != sorted(set(self.layers)):
            raise ValueError(f"The layers with cross-attention must ascend, but they are {self.layers}.")


def layers_of(layers: int) -> Sequence[int]:
    """RETRO's layers with cross-attention in a model of so many; the last one of a model with fewer than six."""
    return tuple(range(FIRST_LAYER, layers, EVERY)) or (layers - 1,)
