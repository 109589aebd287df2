r"""Examples packed for a language model, and what it minimises with them.

An example's prompt is read once, with all its answers after it: each answer sees the prompt and itself, at the
positions it would have alone. For prompt x, its first answer's tokens y_1 .. y_n (the stop last), and answers a,

    L_write = -1/n sum_t log p(y_t | x, y_<t)                                over the whole vocabulary,
    L_cite  = mean over a of  -log sum_{(i, j) in A_a} p_start(i) p_end(j)     with the head's state at a's end,
    L_right = mean over a of  -r_a log p_right - (1 - r_a) log(1 - p_right)    likewise,

where A_a holds a's occurrences in the evidence, or the null slot when nothing backs it, and r_a is how right it is.
An example's loss is the sum of the three. Answers of which a term is not asked are left out of its mean; an answer in
GopherCite's syntax, which cites by itself, has L_write alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from torch import Tensor
from transformers import PretrainedConfig, PreTrainedModel

from app.answering.evidence_model.citation_head import CitationHead, PointerLogits
from common.errors import LoccitError
from training.adapter.example import EvidenceExample, ShownAnswer

_PROMPT, _PADDING = 0, -1


@dataclass(frozen=True, slots=True)
class EvidenceBatch:
    """``ids``, ``positions``, ``segments``: (rows, columns), an example a row, padded on the right.

    ``segments``: 0 for the prompt, the number of the answer from 1, and -1 for padding. An answer's stop is left out,
    as nothing follows it.
    """

    examples: tuple[EvidenceExample, ...]
    ids: Tensor
    positions: Tensor
    segments: Tensor

    @property
    def size(self) -> int:
        """How many rows."""
        return len(self.examples)


def require_packable(model: PreTrainedModel) -> None:
    """Refuses a model for which answers cannot be packed beside each other.

    Raises:
        LoccitError: when layers of it hand on a state that no mask keeps apart.
    """
    kinds = set(getattr(model.config.get_text_config(), "layer_types", None) or ())
    others = sorted(kinds - {"full_attention", "sliding_attention"})
    if others:
        raise LoccitError(
            f"The language model has layers of {', '.join(others)}, but an adapter is trained on models of full or "
            "sliding attention alone, such as Gemma 3, SmolLM2, Llama or Qwen 3."
        )


def evidence_parts(examples: Sequence[EvidenceExample], count: int, device: str) -> list[EvidenceBatch]:
    """The examples as ``count`` batches of about as many tokens, alike in length, the longest first."""
    ordered = sorted(examples, key=lambda example: -example.tokens)
    share = sum(example.tokens for example in examples) / count
    parts: list[list[EvidenceExample]] = [[]]
    filled = 0.0
    for example in ordered:
        if filled >= share * len(parts) and len(parts) < count:
            parts.append([])
        parts[-1].append(example)
        filled += example.tokens
    return [_batch(part, device) for part in parts]


class EvidenceLosses(NamedTuple):
    """Means over a batch's examples: scalars."""

    write: Tensor
    cite: Tensor
    right: Tensor

    @property
    def total(self) -> Tensor:
        """What is minimised."""
        return self.write + self.cite + self.right

    def by_name(self) -> dict[str, Tensor]:
        return self._asdict()


def evidence_losses(model: PreTrainedModel, head: CitationHead, batch: EvidenceBatch) -> EvidenceLosses:
    """See the module's equations."""
    states = model.model(
        input_ids=batch.ids,
        position_ids=batch.positions,
        attention_mask=_masks(model, batch),
        use_cache=False,
    ).last_hidden_state
    written: list[Tensor] = []  # the states that the first answers' tokens are written from
    cite, right = [], []
    for example, row in zip(batch.examples, states, strict=True):
        ends, place = [], len(example.prompt.ids)
        written.append(row[place - 1 : place - 1 + len(example.answers[0].ids)])
        for answer in example.answers:
            place += len(answer.ids) - 1
            ends.append(place - 1)
        logits = head(row[ends], row[torch.as_tensor(example.prompt.places, device=row.device)])
        cite.append(_cite(logits, example.answers))
        right.append(_right(logits, example.answers))
    logits = F.linear(torch.cat(written), model.lm_head.weight).float()
    by_example: tuple[Tensor, ...] = logits.split([len(rows) for rows in written])  # type: ignore[no-untyped-call]
    write = [
        F.cross_entropy(rows, torch.tensor(example.answers[0].ids, device=rows.device))
        for example, rows in zip(batch.examples, by_example, strict=True)
    ]
    return EvidenceLosses(*(torch.stack(terms).mean() for terms in (write, cite, right)))


def _cite(logits: PointerLogits, answers: Sequence[ShownAnswer]) -> Tensor:
    start, end = (
        torch.cat([evidence, null[:, None]], dim=1).log_softmax(1)
        for evidence, null in zip((logits.start, logits.end), logits.null.T, strict=True)
    )  # (answers, E + 1)
    losses = []
    for number, answer in enumerate(answers):
        if answer.pairs is not None:
            pairs = torch.tensor(answer.pairs or [(-1, -1)], device=start.device)
            losses.append(-(start[number, pairs[:, 0]] + end[number, pairs[:, 1]]).logsumexp(0))
    return torch.stack(losses).mean() if losses else start.new_zeros(())


def _right(logits: PointerLogits, answers: Sequence[ShownAnswer]) -> Tensor:
    asked = [number for number, answer in enumerate(answers) if answer.right is not None]
    if not asked:
        return logits.right.new_zeros(())
    wanted = torch.tensor([answers[number].right for number in asked], device=logits.right.device)
    return F.binary_cross_entropy_with_logits(logits.right[asked], wanted)


def _masks(model: PreTrainedModel, batch: EvidenceBatch) -> Tensor | dict[str, Tensor]:
    """What is added to attention's logits, (rows, 1, columns, columns); by kind of layer where some see a window."""
    config: PretrainedConfig = model.config.get_text_config()
    columns = batch.ids.shape[1]
    mine, others = batch.segments[:, :, None], batch.segments[:, None, :]
    seen = (others == _PROMPT) | (others == mine)
    seen &= torch.ones(columns, columns, dtype=torch.bool, device=batch.ids.device).tril()
    if "sliding_attention" not in (getattr(config, "layer_types", None) or ()):
        return _added(seen, model.dtype)
    back = batch.positions[:, :, None] - batch.positions[:, None, :]
    near = seen & (back < config.sliding_window)
    return {"full_attention": _added(seen, model.dtype), "sliding_attention": _added(near, model.dtype)}


def _added(seen: Tensor, dtype: torch.dtype) -> Tensor:
    added = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
    return added.masked_fill_(~seen, torch.finfo(dtype).min)[:, None]


def _batch(examples: Sequence[EvidenceExample], device: str) -> EvidenceBatch:
    rows = [_row(example) for example in examples]
    longest = max(map(len, rows))
    padded = [row + [(0, 0, _PADDING)] * (longest - len(row)) for row in rows]
    ids, positions, segments = torch.tensor(padded, device=device).unbind(-1)
    return EvidenceBatch(tuple(examples), ids, positions, segments)


def _row(example: EvidenceExample) -> list[tuple[int, int, int]]:
    """Id, position and segment of every token."""
    read = example.prompt.ids
    row = [(id_, place, _PROMPT) for place, id_ in enumerate(read)]
    for number, answer in enumerate(example.answers, start=1):
        row += [(id_, len(read) + place, number) for place, id_ in enumerate(answer.ids[:-1])]
    return row
