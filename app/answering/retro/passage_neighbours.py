"""Neighbours that are passages chosen beforehand."""

from collections.abc import Sequence

import numpy as np

from retriever.chunk_database import NO_TOKEN, Integers


class PassageNeighbours:
    """Follows ``NeighbourSource``: the same passages for every chunk of a row, whatever it says."""

    def __init__(
        self, passages: Sequence[Sequence[Sequence[int]]], *, value: int, last: bool = False
    ) -> None:
        """``passages``: the tokens of each row's passages; what is beyond ``value`` tokens is not seen.

        ``last``: only the last of the chunks that a prompt finishes has neighbours, which is all that what is written
        next attends to.
        """
        self._last = last
        most = max((len(row) for row in passages), default=0)
        self._values = np.full((len(passages), max(1, most), value), NO_TOKEN, dtype=np.int64)
        for row, its in enumerate(passages):
            for place, ids in enumerate(its):
                self._values[row, place, : len(ids[:value])] = ids[:value]

    def neighbours(self, chunks: Integers) -> Integers:
        count = min(1, chunks.shape[1]) if self._last else chunks.shape[1]
        return np.repeat(self._values[:, None], count, axis=1)
