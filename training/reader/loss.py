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

The first term makes spans compare across passages; the second gives each passage a probability of its own. Groups
that the pointer learns nothing from count in the second term alone.

A broad model learns four things more. With the evidence logits v, the mean over a sentence's tokens is the logit v_n of
the sentence's being evidence. In service the sentence of all passages with the highest sigmoid(a_p) sigmoid(v_n) is the
answer. So with E the sentences of a group that are evidence, N all of them, and p(n) the passage of each,

    L_choice = -log sum_{n in E} sigmoid(a_p(n)) sigmoid(v_n) / sum_{n in N} sigmoid(a_p(n)) sigmoid(v_n)

is small where what answers stands above its rivals in other passages; groups without evidence have none. With the
kind logits of each passage and its verdict logit,

    L_broad = mean over sentences of BCE + mean over groups of L_choice
            + KIND_WEIGHT * mean over passages of CE(kind) + mean over verdicts of BCE.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor

from app.answering.cross_encoders.cross_encoder import BroadScores, Scores
from training.reader.batch import Batch

KIND_WEIGHT = 0.3
"""The kind is soon learnt: it depends on the question nearly alone."""


class BroadLosses(NamedTuple):
    """The terms of a broad model, each a mean: scalars."""

    evidence: Tensor
    choice: Tensor
    kind: Tensor
    verdict: Tensor

    @property
    def total(self) -> Tensor:
        """What they add to what is minimised."""
        return self.evidence + self.choice + KIND_WEIGHT * self.kind + self.verdict


class Losses(NamedTuple):
    """The terms, each a mean: scalars. ``broad``: None for a model that learns short answers alone."""

    pointer: Tensor
    answerability: Tensor
    broad: BroadLosses | None

    @property
    def total(self) -> Tensor:
        """What is minimised."""
        both = self.pointer + self.answerability
        return both if self.broad is None else both + self.broad.total

    def by_name(self) -> dict[str, Tensor]:
        named = {"pointer": self.pointer, "answerability": self.answerability}
        return named if self.broad is None else named | self.broad._asdict()


def reader_losses(scores: Scores, batch: Batch) -> Losses:
    """The loss of a batch; see the module's equations."""
    start, end = (_shared_norm(logits, batch) for logits in (scores.start, scores.end))  # (T,)
    joint = start[batch.pairs[:, 0]] + end[batch.pairs[:, 1]]  # (P,)
    marginal = [group.logsumexp(0) for group in torch.split(joint, list(batch.group_pairs)) if len(group)]
    judged = F.binary_cross_entropy_with_logits(scores.answerability, batch.answerable, reduction="none")
    answerability = [group.mean() for group in torch.split(judged, list(batch.group_sequences))]
    pointer = -torch.stack(marginal).sum() / batch.size if marginal else joint.sum()
    broad = None if scores.broad is None else _broad_losses(scores.broad, scores.answerability, batch)
    return Losses(pointer, torch.stack(answerability).mean(), broad)


def _broad_losses(scores: BroadScores, answerability: Tensor, batch: Batch) -> BroadLosses:
    """A term without anything to learn from is 0."""
    sums = F.pad(scores.evidence.cumsum(0), (1, 0))  # of the logits before each token
    first, last = batch.sentences[:, 0], batch.sentences[:, 1] + 1
    sentences = (sums[last] - sums[first]) / (last - first)  # (N,)
    kinds = F.cross_entropy(scores.kind, batch.kinds)
    likely = F.logsigmoid(sentences) + F.logsigmoid(answerability[batch.sequences])  # (N,)
    return BroadLosses(
        _mean_bce(sentences, batch.evidence),
        _choice(likely, batch),
        kinds,
        _mean_bce(scores.verdict[batch.said], batch.verdicts),
    )


def _choice(likely: Tensor, batch: Batch) -> Tensor:
    """The mean of L_choice. ``likely``: (N,), the logarithm of each sentence's product."""
    counts = list(batch.group_sentences)
    terms = [
        of_group.logsumexp(0) - of_group[is_evidence].logsumexp(0)
        for of_group, is_evidence in zip(
            torch.split(likely, counts), torch.split(batch.evidence > 0, counts), strict=True
        )
        if is_evidence.any()
    ]
    return torch.stack(terms).mean() if terms else likely.sum() * 0


def _mean_bce(logits: Tensor, right: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, right, reduction="sum") / max(1, len(right))


def _shared_norm(logits: Tensor, batch: Batch) -> Tensor:
    """Log-probabilities over the allowed tokens of each group, (T,)."""
    allowed = logits.masked_fill(~batch.allowed, float("-inf"))
    return torch.cat([group.log_softmax(0) for group in torch.split(allowed, list(batch.group_tokens))])
