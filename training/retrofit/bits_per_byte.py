"""Bits per byte on documents held out, with and without retrieval, by how much is shared with the neighbours."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel

from app.answering.retro.model import RetroModel, as_tensor
from common.errors import LoccitError
from retriever.chunk_database import NO_TOKEN, ChunkDatabase, Integers
from training.retrofit.prepare import HeldOut, read_held_out
from training.retrofit.telling import tell

WINDOW = 1_024
"""Tokens that are read in one piece at most."""
OVERLAPS = (1.0, 0.5, 0.25, 0.125)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HeldOutWindow:
    """A run of whole chunks of one document, by its number.

    ``ids``: (tokens,). ``utf8``: bytes of each. ``neighbours``: of each chunk, rows of the database, (chunks, k).
    """

    ids: Integers
    utf8: Integers
    neighbours: Integers
    document: int


@dataclass(frozen=True, slots=True)
class ChunkScores:
    """Of every chunk scored: the bits that the model spent on it, its bytes, its overlap with its neighbours, and the
    number of its document.
    """

    bits: Floats
    utf8: Floats
    overlap: Floats
    document: Integers

    def overlaps(self) -> list[float]:
        """Those that are reported of which there is a chunk, all chunks first."""
        return [most for most in OVERLAPS if (self.overlap <= most).any()]

    def bits_per_byte(self, overlap: float = 1.0) -> float:
        """Over the chunks with at most this overlap, of which there must be one."""
        kept = self.overlap <= overlap
        return float(self.bits[kept].sum() / self.utf8[kept].sum())


def held_out_windows(
    folder: Path, database: ChunkDatabase, *, most_chunks: int | None = None
) -> list[HeldOutWindow]:
    """The windows of what ``prepare`` held out in this folder: first the first of every document, then their second.

    ``most_chunks``: only so many of each window, its first.

    Raises:
        LoccitError: when there is none, or no document of two chunks is held out.
    """
    chunk = database.about.chunk
    found = [
        _beginning(window, most_chunks, chunk)
        for window in windows_of(read_held_out(folder), chunk=chunk, window=WINDOW)
    ]
    if not found:
        raise LoccitError(f"{folder} holds out no document of two chunks; give a larger corpus.")
    seen: Counter[int] = Counter()
    turns = []
    for window in found:
        turns.append(seen[window.document])
        seen[window.document] += 1
    return [found[place] for place in np.argsort(turns, kind="stable")]


def _beginning(window: HeldOutWindow, chunks: int | None, chunk: int) -> HeldOutWindow:
    most = None if chunks is None else chunks * chunk
    return replace(
        window, ids=window.ids[:most], utf8=window.utf8[:most], neighbours=window.neighbours[:chunks]
    )


def windows_of(held_out: HeldOut, *, chunk: int, window: int) -> Iterator[HeldOutWindow]:
    """Every document in windows of whole chunks, two at least: the first of a window is only read."""
    at = 0
    bounds = zip(held_out.bounds[:-1].tolist(), held_out.bounds[1:].tolist(), strict=True)
    for document, (start, end) in enumerate(bounds):
        chunks = (end - start) // chunk
        most = window // chunk
        for first in range(0, chunks, most):
            last = min(first + most, chunks)
            if last - first > 1:
                places = slice(start + first * chunk, start + last * chunk)
                yield HeldOutWindow(
                    held_out.tokens[places],
                    held_out.utf8[places],
                    held_out.neighbours[at + first : at + last],
                    document,
                )
        at += chunks


def with_strangers(windows: Sequence[HeldOutWindow]) -> list[HeldOutWindow]:
    """Each window with the neighbours of the chunks of other windows: what is gained with them is not what they say."""
    pool = np.concatenate([window.neighbours for window in windows])
    found, at = [], 0
    for window in windows:
        half = at + len(pool) // 2  # from the middle of another document, most likely
        rows = np.arange(half, half + len(window.neighbours)) % len(pool)
        found.append(replace(window, neighbours=pool[rows]))
        at += len(window.neighbours)
    return found


def overlaps(window: HeldOutWindow, database: ChunkDatabase) -> Floats:
    """How much of each chunk but the first stands in one piece in a neighbour of it or of the chunk before, 0 to 1.

    By the longest run of tokens in common (RETRO, section 2.6), with all neighbours that were found.
    """
    length = database.about.chunk
    values = database.values(window.neighbours)  # (chunks, k, tokens)
    chunks = window.ids.reshape(-1, length).astype(np.int64)
    found = [
        longest_run(chunks[place], np.concatenate([values[place - 1], values[place]])) / length
        for place in range(1, len(chunks))
    ]
    return np.array(found)


def longest_run(chunk: Integers, others: Integers) -> int:
    """The longest run of tokens that a chunk shares with one of the others, shape (others, tokens)."""
    best, runs = 0, np.zeros((len(others), others.shape[1] + 1), dtype=np.int64)
    for token in chunk:
        # a run that ends at this token and at column j is one longer than the one before both
        runs[:, 1:] = np.where(others == token, runs[:, :-1] + 1, 0)
        best = max(best, int(runs.max(initial=0)))
    return best


@torch.inference_mode()
def score(
    model: RetroModel,
    windows: Sequence[HeldOutWindow],
    database: ChunkDatabase,
    *,
    k: int,
    begin: Sequence[int] = (),
    told: bool = False,
) -> list[tuple[Floats, Floats]]:
    """Bits and bytes of each window's chunks but the first, with k neighbours of each chunk; k = 0: no retrieval.

    ``begin``: the tokens that the model expects before every text; they are read, and not scored. ``told``: the first
    neighbour of each chunk tells how the text goes on.
    """
    random = np.random.default_rng(0)
    length = database.about.chunk
    device = model.base.device
    found = []
    for window in windows:
        tokens = window.ids.astype(np.int64)
        ids = as_tensor(np.concatenate([np.array(begin, dtype=np.int64), tokens]), device)[None]
        # nothing is told after the last token, so it is not read, and its chunk needs no neighbours
        values = database.values(window.neighbours[:-1, :k])
        if told:
            tell(values, tokens, range(len(values)), chunk=length, random=random)
        scored = len(tokens) - length
        output = model(
            input_ids=ids[:, :-1],
            neighbours=as_tensor(values, device)[None] if k else None,
            lead=len(begin),
            use_cache=False,
            logits_to_keep=scored,
        )
        nats = token_nats(output.logits[0], ids[0, -scored:])
        bits = nats.double().cpu().numpy().reshape(-1, length).sum(-1) / math.log(2)
        found.append((bits, window.utf8[length:].reshape(-1, length).sum(-1).astype(np.float64)))
    return found


@torch.inference_mode()
def score_in_prompt(
    base: PreTrainedModel,
    windows: Sequence[HeldOutWindow],
    database: ChunkDatabase,
    *,
    k: int,
    begin: Sequence[int] = (),
) -> list[tuple[Floats, Floats]]:
    """As ``score``, by the base model alone: before a chunk's window stand the neighbours of the chunk before it.

    The nearest stands last. The window is read anew for every chunk.
    """
    length = database.about.chunk
    found = []
    for window in windows:
        values = database.values(window.neighbours[:, :k][:, ::-1])
        tokens = window.ids.astype(np.int64)
        bits = []
        for number in range(1, len(tokens) // length):
            told = values[number - 1]
            parts = [np.array(begin, dtype=np.int64), told[told != NO_TOKEN], tokens[: (number + 1) * length]]
            ids = as_tensor(np.concatenate(parts), base.device)[None]
            logits = base(input_ids=ids, use_cache=False, logits_to_keep=length + 1).logits[0, :-1]
            bits.append(float(token_nats(logits, ids[0, -length:]).double().sum()) / math.log(2))
        found.append((np.array(bits), window.utf8[length:].reshape(-1, length).sum(-1).astype(np.float64)))
    return found


def token_nats(logits: Tensor, ids: Tensor) -> Tensor:
    """What each token costs, (tokens,)."""
    return functional.cross_entropy(logits.float(), ids, reduction="none")


def gathered(
    windows: Sequence[HeldOutWindow], scores: Sequence[tuple[Floats, Floats]], overlap: Sequence[Floats]
) -> ChunkScores:
    """All windows' chunks together."""
    return ChunkScores(
        np.concatenate([bits for bits, _ in scores]),
        np.concatenate([utf8 for _, utf8 in scores]),
        np.concatenate(list(overlap)),
        np.concatenate(
            [np.full(len(bits), one.document) for one, (bits, _) in zip(windows, scores, strict=True)]
        ),
    )
