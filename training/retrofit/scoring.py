"""Scoring windows held out, kept on disk: what was scored before is not scored again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from app.answering.retro.model import RetroModel
from common.digest import json_digest
from common.files import whole_file
from common.progress import progress
from retriever.chunk_database import ChunkDatabase
from training.retrofit.bits_per_byte import (
    ChunkScores,
    Floats,
    HeldOutWindow,
    gathered,
    score,
    score_in_prompt,
)

_SHOWN_AT_ONCE = 4  # windows


@dataclass(frozen=True, slots=True)
class Scorer:
    """Scores windows, or takes what was scored before. ``same``: what all scores depend on, beside the weights."""

    model: RetroModel
    weights_sha256: str
    database: ChunkDatabase
    begin: list[int]
    shared: Sequence[Floats]
    kept: Path
    same: Sequence[object]
    console: Console

    def scores(
        self, what: str, windows: Sequence[HeldOutWindow], k: int, *, prompt: bool = False, told: bool = False
    ) -> ChunkScores:
        """Those with k neighbours, attended to, or in the prompt of the base model."""
        depends = None if prompt or not k else self.weights_sha256
        path = self.kept / f"{what}-{json_digest([*self.same, depends])[:16]}.npz"
        scores = _kept(path, windows)
        if scores is None:
            scores = []
            with progress(self.console, f"Scoring, {what}", total=len(windows)) as advance:
                for at in range(0, len(windows), _SHOWN_AT_ONCE):
                    some = windows[at : at + _SHOWN_AT_ONCE]
                    scores += (
                        score_in_prompt(self.model.base, some, self.database, k=k, begin=self.begin)
                        if prompt
                        else score(self.model, some, self.database, k=k, begin=self.begin, told=told)
                    )
                    advance(len(some))
            _keep(path, scores)
        return gathered(windows, scores, self.shared)


def _keep(path: Path, scores: Sequence[tuple[Floats, Floats]]) -> None:
    bits, utf8 = (np.concatenate(columns) for columns in zip(*scores, strict=True))
    with whole_file(path) as unfinished, unfinished.open("wb") as file:
        np.savez(file, bits=bits, utf8=utf8)


def _kept(path: Path, windows: Sequence[HeldOutWindow]) -> list[tuple[Floats, Floats]] | None:
    """Bits and bytes of each window's chunks, as they were kept; None where they were not."""
    if not path.is_file():
        return None
    with np.load(path) as file:
        ends = np.cumsum([len(one.neighbours) - 1 for one in windows])[:-1]
        return list(zip(np.split(file["bits"], ends), np.split(file["utf8"], ends), strict=True))
