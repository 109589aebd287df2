"""The support model: the reader with low-rank changes and a head of its own on [CLS]."""

from collections.abc import Mapping

from torch import Tensor, nn

from app.answering.cross_encoders.cross_encoder import CrossEncoder, Packed
from app.answering.cross_encoders.low_rank import merge

HEAD = "head."


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


def load(model: SupportModel, tensors: Mapping[str, Tensor]) -> None:
    """Merge the low-rank changes into the encoder and put the head in.

    Raises:
        KeyError, AttributeError, RuntimeError: when they belong to an encoder of another shape.
    """
    merge(model.encoder, tensors)
    model.head.load_state_dict(
        {name.removeprefix(HEAD): one.float() for name, one in tensors.items() if name.startswith(HEAD)}
    )
