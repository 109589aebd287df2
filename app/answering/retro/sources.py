"""Where neighbours come from: a chunk database, or passages chosen beforehand."""

from collections.abc import Sequence

import numpy as np

from app.answering.retro.tokenizer import RetroTokenizer
from retriever.chunk_database import NO_TOKEN, ChunkDatabase, ChunkSearch, Integers
from retriever.encoder import Encoder


class DatabaseNeighbours:
    """Follows ``NeighbourSource``: each chunk is decoded and looked up."""

    def __init__(
        self, database: ChunkDatabase, tokenizer: RetroTokenizer, encoder: Encoder | None, *, k: int
    ) -> None:
        """``encoder``: None for a database whose chunks are found by their words.

        Raises:
            IndexUnusableError: when another encoder made the database's keys.
        """
        self._database, self._tokenizer, self._k = database, tokenizer, k
        self._search = ChunkSearch(database, encoder)

    def neighbours(self, chunks: Integers) -> Integers:
        runs = [run[run >= 0].tolist() for run in chunks.reshape(-1, chunks.shape[-1])]
        rows = self._search.nearest(self._tokenizer.texts(runs), k=self._k).reshape(
            *chunks.shape[:-1], self._k
        )
        return self._database.values(rows)


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
