"""Neighbours that are looked up while a text is written."""

from app.answering.retro.tokenizer import RetroTokenizer
from retriever.chunk_database import ChunkDatabase, ChunkSearch, Integers
from retriever.encoder import Encoder


class DatabaseNeighbours:
    """Follows ``NeighbourSource``: each chunk is decoded and looked up in a chunk database."""

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
        rows = self._search.nearest(self._tokenizer.texts(runs), k=self._k)
        return self._database.values(rows.reshape(*chunks.shape[:-1], self._k))
