r"""Examples packed for a language model, and what it minimises with them.

For an example with prompt x and answer tokens y_1 .. y_n (the stop last),

    L_write = -1/n sum_t log p(y_t | x, y_<t)                                      over the whole vocabulary,
    L_cite  = -log sum_{(i, j) in A} p_start(i) p_end(j)     with the citation head's state at the answer's end,

where A holds the answer's occurrences in the evidence, or the null slot when nothing backs it. An example's
loss is L_write + L_cite; those with a wrong answer have no L_write, and those
in GopherCite's syntax, which cite by themselves, no L_cite.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor
from transformers import PreTrainedModel

from app.answering.citation_head import CitationHead
from training.evidence_example import EvidenceExample


@dataclass(frozen=True, slots=True)
class EvidenceBatch:
    """``ids``: (rows, columns), padded on the right, where no token before sees it: attention is causal."""

    examples: tuple[EvidenceExample, ...]
    ids: Tensor

    @property
    def size(self) -> int:
        """How many rows."""
        return len(self.examples)


def evidence_parts(examples: Sequence[EvidenceExample], count: int, device: str) -> list[EvidenceBatch]:
    """The examples as ``count`` batches of about as many tokens, alike in length, the longest first."""
    ordered = sorted(examples, key=lambda one: -one.tokens)
    share = sum(one.tokens for one in examples) / count
    parts: list[list[EvidenceExample]] = [[]]
    filled = 0.0
    for one in ordered:
        if filled >= share * len(parts) and len(parts) < count:
            parts.append([])
        parts[-1].append(one)
        filled += one.tokens
    return [_batch(part, device) for part in parts]


class EvidenceLosses(NamedTuple):
    """Means over a batch's examples: scalars."""

    write: Tensor
    cite: Tensor

    @property
    def total(self) -> Tensor:
        """What is minimised."""
        return self.write + self.cite

    def by_name(self) -> dict[str, Tensor]:
        return {"write": self.write, "cite": self.cite}


def evidence_losses(model: PreTrainedModel, head: CitationHead, batch: EvidenceBatch) -> EvidenceLosses:
    """See the module's equations."""
    states = model.model(input_ids=batch.ids, use_cache=False).last_hidden_state
    write, cite = [], []
    zero = states.new_zeros((), dtype=torch.float32)
    before: list[Tensor] = []  # the states that answer tokens are written from
    for one, row in zip(batch.examples, states, strict=True):
        first = len(one.prompt.ids) - 1
        before.append(row[first : first + len(one.answer)])
        evidence = row[torch.as_tensor(one.prompt.places, device=row.device)]
        cite.append(_cited(head, before[-1][-1:], evidence, one.pairs) if one.pairs is not None else zero)
    logits = F.linear(torch.cat(before), model.lm_head.weight).float()
    lengths = [len(one.answer) for one in batch.examples]
    by_example: tuple[Tensor, ...] = logits.split(lengths)  # type: ignore[no-untyped-call]
    for one, found in zip(batch.examples, by_example, strict=True):
        wanted = torch.tensor(one.answer, device=found.device)
        write.append(F.cross_entropy(found, wanted) * float(one.learnt))
    return EvidenceLosses(torch.stack(write).mean(), torch.stack(cite).mean())


def _cited(
    head: CitationHead, answer: Tensor, evidence: Tensor, answers: Sequence[tuple[int, int]]
) -> Tensor:
    logits = head(answer, evidence)
    start, end = (
        torch.cat([one[0], null]).log_softmax(0)
        for one, null in zip((logits.start, logits.end), logits.null.T, strict=True)
    )  # (E + 1,)
    pairs = torch.tensor(answers or [(-1, -1)], device=start.device)
    return -(start[pairs[:, 0]] + end[pairs[:, 1]]).logsumexp(0)


def _batch(examples: Sequence[EvidenceExample], device: str) -> EvidenceBatch:
    longest = max(one.tokens for one in examples)
    rows = [[*one.prompt.ids, *one.answer] for one in examples]
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows], device=device)
    return EvidenceBatch(tuple(examples), ids)
