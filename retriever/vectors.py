"""Vector indexes: rows and their vectors in, the nearest rows out. The engine never leaks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import faiss
import numpy as np
import numpy.typing as npt

from common.errors import IndexUnusableError
from retriever.encoder import FloatArray
from retriever.fusion import top_k
from retriever.types import ScoredRow


class VectorIndex(Protocol):
    """What retrieval needs of a vector engine. Scores are inner products: higher is better."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def __len__(self) -> int: ...

    def rows(self) -> npt.NDArray[np.int64]:
        """Every row it holds, ascending."""

    def search(self, queries: FloatArray, *, k: int) -> list[list[ScoredRow]]:
        """The best k rows of each query, shape (queries, dimension): fewer where it holds fewer."""

    def scores(self, query: FloatArray, rows: Sequence[int]) -> list[float]:
        """The score of each of these rows, all held, for one query of shape (dimension,)."""


class FlatVectorIndex:
    """Exact search over all vectors (FAISS Flat, inner product)."""

    def __init__(self, dimension: int) -> None:
        self._engine: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))

    @property
    def dimension(self) -> int:
        return int(self._engine.d)

    def __len__(self) -> int:
        return int(self._engine.ntotal)

    def rows(self) -> npt.NDArray[np.int64]:
        return np.sort(faiss.vector_to_array(self._engine.id_map))

    def add(self, rows: Sequence[int], vectors: FloatArray) -> None:
        """Store the vectors, shape (rows, dimension), under these rows."""
        self._engine.add_with_ids(vectors, np.asarray(rows, dtype=np.int64))

    def search(self, queries: FloatArray, *, k: int) -> list[list[ScoredRow]]:
        return [self._search_one(query[np.newaxis, :], k=min(k, len(self))) for query in queries]

    def scores(self, query: FloatArray, rows: Sequence[int]) -> list[float]:
        return [float(query @ self._engine.reconstruct(int(row))) for row in rows]

    def _search_one(self, query: FloatArray, *, k: int) -> list[ScoredRow]:
        if k == 0:
            return []

        def nearest(limit: int) -> list[ScoredRow]:
            scores, rows = self._engine.search(query, limit)  # both (1, limit), padded with row -1
            return [
                ScoredRow(int(row), float(score))
                for row, score in zip(rows[0], scores[0], strict=True)
                if row >= 0
            ]

        return top_k(nearest, k=k)

    def save(self, path: Path) -> None:
        """Write the index to one file."""
        path.write_bytes(faiss.serialize_index(self._engine).tobytes())

    @classmethod
    def load(cls, path: Path) -> "FlatVectorIndex":
        """The index that ``save`` wrote.

        Raises:
            IndexUnusableError: when the file is not such an index.
        """
        try:
            engine = faiss.deserialize_index(np.fromfile(path, dtype=np.uint8))
        except (RuntimeError, OSError) as error:
            raise IndexUnusableError(
                f"{path} is not a readable FAISS index; build the index again."
            ) from error
        index = cls.__new__(cls)
        index._engine = engine
        return index
