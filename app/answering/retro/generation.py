"""Writing with retrieval: past every chunk boundary, the neighbours of the chunk just finished condition the next."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from app.answering.retro.model import NeighbourSource, RetroModel, RetroState, as_tensor
from common.deadline import NO_DEADLINE, Deadline
from retriever.chunk_database import NO_TOKEN, Integers

STATE = -2
"""Stands in a row of tokens where a state is that belongs to no token."""


class Written(NamedTuple):
    """``ids``: the tokens written. ``ended``: by an end token, which is left out; else cut off."""

    ids: list[int]
    ended: bool


class RetroBatch:
    """Prompts read side by side, each padded on the left so that all end at a chunk's last position.

    That is how RETRO asks its questions (section 4.3): what is written first already attends to neighbours.
    """

    def __init__(
        self,
        model: RetroModel,
        prompts: Sequence[Sequence[int]],
        source: NeighbourSource | None,
        prefix: Sequence[Tensor] | None = None,
    ) -> None:
        """``source``: None for the base model alone. ``prefix``: states before each prompt, (positions, hidden).

        Raises:
            ValueError: when there is no prompt, or an empty one.
        """
        if not prompts or not all(prompts):
            raise ValueError("A prompt must have at least one token.")
        self._model, self._source, self._prefix = model, source, prefix
        before = [0] * len(prompts) if prefix is None else [len(states) for states in prefix]
        rows = [[STATE] * count + list(prompt) for count, prompt in zip(before, prompts, strict=True)]
        self._read = padded(rows, model.settings.chunk)  # (rows, columns)
        self._cache, self._state = DynamicCache(config=model.base.config), RetroState()

    def prefill(self) -> Tensor:
        """Logits of the first token to write: (rows, vocabulary)."""
        return self._logits(self._read, self._prefix)

    def step(self, ids: Sequence[int]) -> Tensor:
        """Logits of the next token after each row's newest one: (rows, vocabulary)."""
        newest = np.array(ids, dtype=np.int64)[:, None]
        self._read = np.concatenate([self._read, newest], axis=1)
        return self._logits(newest)

    def _logits(self, ids: Integers, prefix: Sequence[Tensor] | None = None) -> Tensor:
        device = self._model.base.device
        mask = as_tensor((self._read != NO_TOKEN).astype(np.int64), device)
        positions = (mask.cumsum(-1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        output = self._model(
            **self._inputs(ids, prefix),
            attention_mask=mask,
            position_ids=positions,
            neighbours=self._neighbours(ids.shape[1]),
            state=self._state,
            cache=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1]
        return logits

    def _inputs(self, ids: Integers, prefix: Sequence[Tensor] | None) -> dict[str, Any]:
        tokens = as_tensor(np.maximum(ids, 0), self._model.base.device)
        if prefix is None:
            return {"input_ids": tokens}
        return {"inputs_embeds": with_prefix(self._model, tokens, ids, prefix)}

    def _neighbours(self, columns: int) -> Tensor | None:
        """Of the chunks that the newest columns finish."""
        if self._source is None:
            return None
        shape, device = self._model.settings, self._model.base.device
        rows, total = self._read.shape
        chunks = self._model.chunks(columns, self._state)
        if not chunks:
            return torch.full((rows, 0, 1, shape.value), NO_TOKEN, device=device)
        last = total // shape.chunk * shape.chunk
        finished = self._read[:, last - chunks * shape.chunk : last].reshape(rows, chunks, shape.chunk)
        return as_tensor(self._source.neighbours(finished), device)


def padded(rows: Sequence[Sequence[int]], chunk: int) -> Integers:
    """The rows, (rows, columns), padded on the left with ``NO_TOKEN`` to the end of a chunk."""
    columns = -(-max(map(len, rows)) // chunk) * chunk
    return np.array([[NO_TOKEN] * (columns - len(row)) + list(row) for row in rows], dtype=np.int64)


def with_prefix(model: RetroModel, tokens: Tensor, ids: Integers, prefix: Sequence[Tensor]) -> Tensor:
    """The tokens embedded, (rows, columns, hidden), with the prefix's states in the columns kept for them."""
    embedded: Tensor = model.base.get_input_embeddings()(tokens)
    kept = as_tensor(ids == STATE, embedded.device)
    return embedded.masked_scatter(kept[..., None], torch.cat(list(prefix)).to(embedded.dtype))


@torch.inference_mode()
def write(
    model: RetroModel,
    prompts: Sequence[Sequence[int]],
    source: NeighbourSource | None,
    *,
    max_tokens: int,
    end: frozenset[int] = frozenset(),
    prefix: Sequence[Tensor] | None = None,
    deadline: Deadline = NO_DEADLINE,
) -> list[Written]:
    """What the model writes after each prompt, greedily, up to one of the tokens ``end``.

    ``prefix``: see ``RetroBatch``.
    """
    batch = RetroBatch(model, prompts, source, prefix)
    written: list[list[int]] = [[] for _ in prompts]
    open_rows = set(range(len(prompts)))
    logits = batch.prefill()
    for number in range(max_tokens):
        ids = logits.argmax(-1).tolist()
        for row in sorted(open_rows):
            if ids[row] in end:
                open_rows.remove(row)
            else:
                written[row].append(ids[row])
        if not open_rows or deadline.over or number + 1 == max_tokens:
            break
        logits = batch.step(ids)
    return [Written(ids, row not in open_rows) for row, ids in enumerate(written)]
