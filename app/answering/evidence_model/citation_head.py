r"""The citation head: with an answer's state as query it points at the evidence that backs it, or at nothing, and
says whether the answer is right.

For the state h_a of an answer's last token and the states h_i of the evidence tokens (both of the language
model's last layer, normalised), with learnt projections to d dimensions,

    s_i = (Q_s h_a) . (K_s h_i) / sqrt(d),   e_i likewise,   s_null = w_s . h_a + b_s,   e_null likewise.

Start and end are each normalised over the evidence and null; null means "not supported". Whether the answer is the
one wanted is a judgement by itself, by which the answers of one question can be told apart (GopherCite's reward model,
here on the generator's own states):

    p_right = sigmoid(w_r . h_a + b_r).
"""

from typing import NamedTuple

import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor, nn

DIMENSION = 128


class PointerLogits(NamedTuple):
    """float32. ``start``, ``end``: (queries, evidence tokens). ``null``: (queries, 2), for start and end.

    ``right``: of the answer being right, (queries,).
    """

    start: Tensor
    end: Tensor
    null: Tensor
    right: Tensor


class CitationHead(nn.Module):
    """Projections for start and end, the null slot, and the judgement of the answer."""

    def __init__(self, hidden: int, dimension: int = DIMENSION) -> None:
        super().__init__()
        self.dimension = dimension
        self.query = nn.Linear(hidden, 2 * dimension)
        self.key = nn.Linear(hidden, 2 * dimension, bias=False)
        self.null = nn.Linear(hidden, 2)
        self.right = nn.Linear(hidden, 1)

    def forward(self, answers: Tensor, evidence: Tensor) -> PointerLogits:
        """``answers``: (queries, hidden). ``evidence``: (tokens, hidden)."""
        return self.point(answers, self.keys(evidence))

    def keys(self, evidence: Tensor) -> Tensor:
        """What answers are compared with, made once for all: (tokens, hidden) to (2, d, tokens), float32."""
        evidence = F.layer_norm(evidence, evidence.shape[-1:])
        key = self.key(evidence).float().unflatten(-1, (2, self.dimension))  # (tokens, 2, d)
        return key.permute(1, 2, 0)  # type: ignore[no-any-return]

    def point(self, answers: Tensor, keys: Tensor) -> PointerLogits:
        """``answers``: (queries, hidden). ``keys``: of the evidence."""
        answers = F.layer_norm(answers, answers.shape[-1:])
        query = self.query(answers).float().unflatten(-1, (2, self.dimension))  # (queries, 2, d)
        logits = query.transpose(0, 1) @ keys * self.dimension**-0.5  # (2, queries, tokens)
        return PointerLogits(
            logits[0], logits[1], self.null(answers).float(), self.right(answers).float().squeeze(-1)
        )
