"""A decoder layer's self-attention, taken apart: what asks, and what writes."""

from torch import Tensor, nn
from transformers.models.llama.modeling_llama import rotate_half

from common.errors import ModelUnusableError


class OwnAttention:
    """The projections, norms and rotary embedding of a layer's self-attention, used a second time."""

    def __init__(self, attention: nn.Module, rotary: nn.Module) -> None:
        """``rotary``: the model's rotary embedding.

        Raises:
            ModelUnusableError: when it is not of the kind of Llama's or Gemma 3's.
        """
        if not (hasattr(attention, "q_proj") and hasattr(attention, "o_proj")):
            raise ModelUnusableError("The language model's layers have no self-attention that is known here.")
        self.attention, self._rotary = attention, rotary
        self.scaling = float(attention.scaling)  # type: ignore[arg-type]

    def queries(self, asked: Tensor, positions: Tensor) -> Tensor:
        """What the projection that asks gave, (..., tokens, heads, head width), as heads that stand at ``positions``.

        ``positions``: (tokens,). The result: (..., heads, tokens, head width).
        """
        if (norm := getattr(self.attention, "q_norm", None)) is not None:
            asked = norm(asked)
        # Gemma 3 turns the heads of sliding layers faster than those of the others
        kind = getattr(self.attention, "layer_type", None)
        cosine, sine = self._rotary(asked, positions[None], *([] if kind is None else [kind]))
        heads = asked.transpose(-3, -2)
        turned: Tensor = heads * cosine[0] + rotate_half(heads) * sine[0]  # type: ignore[no-untyped-call]
        return turned

    def ask(self, states: Tensor) -> Tensor:
        """(..., hidden) -> (..., heads * head width)."""
        found: Tensor = self.attention.q_proj(states)  # type: ignore[operator]
        return found

    def write(self, found: Tensor) -> Tensor:
        """(..., heads * head width) -> (..., hidden)."""
        written: Tensor = self.attention.o_proj(found)  # type: ignore[operator]
        return written
