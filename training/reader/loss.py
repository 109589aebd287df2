r"""What the reader minimises.

For a group of passages of one question let C be all tokens that a pointer may choose: the tokens of every
passage's window, and every passage's [CLS], which stands for "no answer here". With the start logits s and
the end logits e, normalised over the whole group at once (shared-norm, Clark & Gardner 2018, section 3.2),

    p_start(i) = exp s_i / sum_{c in C} exp s_c        p_end(j) = exp e_j / sum_{c in C} exp e_c

and with the set A of (first, last) tokens of all occurrences of an answer in the group, the pointer's loss is
the negative marginal log-likelihood

    L_pointer = -log sum_{(i, j) in A} p_start(i) p_end(j)

so that distant supervision may choose which occurrence it believes (they sum start and end apart; here a start
is tied to its own end). In a group without an answer A is the [CLS] of each passage with itself. With the
answerability logit a_p of each passage and y_p = 1 where it shows an answer, else 0,

    L = mean over groups of (L_pointer + mean over the group's passages of BCE(sigmoid(a_p), y_p)).

The first term makes spans compare across passages; the second gives each passage a probability of its own.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from app.answering.cross_encoders.cross_encoder import Scores
from training.reader.batch import Batch


class Losses(NamedTuple):
    """Both terms, each a mean over groups: scalars."""

    pointer: Tensor
    answerability: Tensor

    @property
    def total(self) -> Tensor:
        """What is minimised."""
        return self.pointer + self.answerability

    def by_name(self) -> dict[str, Tensor]:
        return {"pointer": self.pointer, "answerability": self.answerability}


def reader_losses(scores: Scores, batch: Batch) -> Losses:
    """The loss of a batch; see the module's equations."""
    start, end = (_shared_norm(logits, batch) for logits in (scores.start, scores.end))  # (T,)
    joint = start[batch.pairs[:, 0]] + end[batch.pairs[:, 1]]  # (P,)
    marginal = [group.logsumexp(0) for group in torch.split(joint, list(batch.group_pairs))]
    judged = F.binary_cross_entropy_with_logits(scores.answerability, batch.answerable, reduction="none")
    answerability = [group.mean() for group in torch.split(judged, list(batch.group_sequences))]
    return Losses(-torch.stack(marginal).mean(), torch.stack(answerability).mean())


def _shared_norm(logits: Tensor, batch: Batch) -> Tensor:
    """Log-probabilities over the allowed tokens of each group, (T,)."""
    allowed = logits.masked_fill(~batch.allowed, float("-inf"))
    return torch.cat([group.log_softmax(0) for group in torch.split(allowed, list(batch.group_tokens))])
