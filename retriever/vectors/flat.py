"""The engine that compares a query with every vector: exact, and fast enough for some millions (FAISS Flat)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import faiss
import numpy as np
import numpy.typing as npt

from common.errors import IndexUnusableError
from retriever.encoder import FloatArray
from retriever.fusion import top_k
from retriever.types import ScoredRow
from retriever.vectors.protocol import Argument
from retriever.vectors.rows import held_rows, new_rows
from retriever.vectors.selector import only


class FlatVectorIndex:
    """Exact search over all vectors (FAISS Flat, inner product)."""

    name: ClassVar[str] = "flat"
    exact: ClassVar[bool] = True

    def __init__(self, dimension: int) -> None:
        # IDMap2 keeps our rows beside the vectors; Flat alone renumbers them whenever one is removed
        self._engine: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))

    @property
    def dimension(self) -> int:
        return int(self._engine.d)

    @property
    def arguments(self) -> Mapping[str, Argument]:
        return {}

    def __len__(self) -> int:
        return int(self._engine.ntotal)

    def rows(self) -> npt.NDArray[np.int64]:
        return np.sort(faiss.vector_to_array(self._engine.id_map))

    def add(self, rows: Sequence[int], vectors: FloatArray) -> None:
        self._engine.add_with_ids(vectors, new_rows(rows, self.rows()))

    def remove(self, rows: Sequence[int]) -> None:
        self._engine.remove_ids(held_rows(rows, self.rows()))

    def search(
        self, queries: FloatArray, *, k: int, within: npt.NDArray[np.int64] | None = None
    ) -> list[list[ScoredRow]]:
        most = len(self) if within is None else len(within)
        parameters = None if within is None else only(within)
        return [
            self._search_one(query[np.newaxis, :], k=min(k, most), parameters=parameters) for query in queries
        ]

    def scores(self, query: FloatArray, rows: Sequence[int]) -> list[float]:
        return [float(query @ self._engine.reconstruct(int(row))) for row in rows]

    def _search_one(
        self, query: FloatArray, *, k: int, parameters: faiss.SearchParameters | None
    ) -> list[ScoredRow]:
        if k == 0:
            return []

        def nearest(limit: int) -> list[ScoredRow]:
            # both (1, limit), padded with row -1
            scores, rows = self._engine.search(query, limit, params=parameters)
            return [
                ScoredRow(int(row), float(score))
                for row, score in zip(rows[0], scores[0], strict=True)
                if row >= 0
            ]

        return top_k(nearest, k=k)

    def save(self, path: Path) -> None:
        path.write_bytes(faiss.serialize_index(self._engine).tobytes())

    @classmethod
    def load(cls, path: Path) -> Self:
        try:
            engine = faiss.deserialize_index(np.fromfile(path, dtype=np.uint8))
        except (RuntimeError, OSError) as error:
            raise IndexUnusableError(
                f"{path} is not a readable FAISS index; build the index again."
            ) from error
        index = cls.__new__(cls)
        index._engine = engine
        return index
