"""The shape of what a retrofit adds to a language model."""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedModel


@dataclass(frozen=True, slots=True)
class RetroSettings:
    """``chunk``: tokens of a chunk. ``value``: tokens of a neighbour at most, its continuation included.

    ``layers``: those with cross-attention, ascending. ``hidden``: width of the model. ``heads``: of its attention, each
    ``head_width`` wide. ``rank``: of what is added to the projections that ask and that write.
    """

    layers: tuple[int, ...]
    hidden: int
    heads: int
    head_width: int
    chunk: int = 64
    value: int = 128
    rank: int = 8

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))
        if not self.layers or list(self.layers) != sorted(set(self.layers)):
            raise ValueError(f"The layers with cross-attention must ascend, but they are {self.layers}.")


def shape_for(base: PreTrainedModel, *, chunk: int, value: int, rank: int) -> RetroSettings:
    """The shape of a retrofit of this model."""
    config = base.config.get_text_config()
    heads = config.num_attention_heads
    return RetroSettings(
        layers=tuple(layers_of(config.num_hidden_layers)),
        hidden=config.hidden_size,
        heads=heads,
        head_width=getattr(config, "head_dim", None) or config.hidden_size // heads,
        chunk=chunk,
        value=value,
        rank=rank,
    )


def layers_of(layers: int) -> Sequence[int]:
    """Those with cross-attention in a model of so many, counted from 0: where a model that is there copies from.

    RETRO, which learns its attention from the start, has every third from the sixth on.
    """
    return tuple(range(layers // 2, max(layers // 2 + 1, 5 * layers // 6)))
