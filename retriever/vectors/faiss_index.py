"""What the engines of FAISS have in common: rows beside vectors, one file, pages that processes share."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar, Self

import faiss
import numpy as np
import numpy.typing as npt

from common.errors import IndexUnusableError
from retriever.encoder import FloatArray
from retriever.fusion import top_k
from retriever.types import ScoredRow
from retriever.vectors.protocol import Argument
from retriever.vectors.rows import Rows, held_rows, new_rows
from retriever.vectors.selector import only

_WRITTEN_AT_ONCE = 1 << 20  # bytes
_TRAINING_SEED = 0
_ALL_COMPARED = 10_000  # rows that a search is held to, or a tenth of the index: so few are all compared


class FaissVectorIndex:
    """A FAISS index under rows of the caller's own.

    An engine says what it is made of (``_empty``), how it is searched (``_parameters``, ``_compared``), and which flag
    maps its file.
    """

    name: ClassVar[str]
    exact: ClassVar[bool] = False
    least: ClassVar[int] = 1
    effort_name: ClassVar[str | None] = None
    _map_flag: ClassVar[int] = faiss.IO_FLAG_MMAP_IFC

    def __init__(self, dimension: int) -> None:
        self._engine = self._empty(dimension, 1)
        self._mapped: Path | None = None
        self.effort = self._usual_effort

    @property
    def dimension(self) -> int:
        return int(self._engine.d)

    @property
    def arguments(self) -> Mapping[str, Argument]:
        return {}

    @property
    def largest_effort(self) -> int:
        return 1

    def __len__(self) -> int:
        return int(self._engine.ntotal)

    def rows(self) -> npt.NDArray[np.int64]:
        return np.sort(self._unsorted_rows())

    def add(self, rows: Sequence[int] | Rows, vectors: FloatArray) -> None:
        wanted = new_rows(rows, self.rows())
        if not len(wanted):
            return
        self._make_changeable()
        if not self._engine.is_trained:
            self._train(vectors)
        self._add(wanted, vectors)

    def remove(self, rows: Sequence[int]) -> None:
        wanted = held_rows(rows, self.rows())
        if len(wanted):
            self._make_changeable()
            self._remove(wanted)

    def search(self, queries: FloatArray, *, k: int, within: Rows | None = None) -> list[list[ScoredRow]]:
        k = min(k, len(self) if within is None else len(within))
        if k == 0:
            return [[] for _ in queries]
        nearest = partial(self._nearest, self.effort, None) if within is None else self._nearest_of(within)
        return [top_k(partial(nearest, query[np.newaxis, :]), k=k) for query in queries]

    def scores(self, query: FloatArray, rows: Sequence[int]) -> list[float]:
        return [float(query @ self._engine.reconstruct(int(row))) for row in rows]

    def save(self, path: Path) -> None:
        # through a file of Python's: one that FAISS opens itself ends short, in silence, when the disk is full
        with path.open("wb") as file:
            faiss.write_index(self._engine, faiss.PyCallbackIOWriter(file.write, _WRITTEN_AT_ONCE))

    @classmethod
    def load(cls, path: Path) -> Self:
        index = cls.__new__(cls)
        index._engine = _read(path, cls._map_flag)
        index._mapped = path
        index.effort = cls._usual_effort
        return index

    _usual_effort: ClassVar[int] = 1

    @staticmethod
    def _empty(dimension: int, vectors: int) -> faiss.Index:
        """An index without vectors, not trained yet, that is about to get so many; it takes rows with them."""
        raise NotImplementedError

    def _parameters(self, effort: int, among: faiss.IDSelector | None) -> faiss.SearchParameters | None:
        """How a search with this effort is done, among these rows or all; None: as FAISS does it."""
        raise NotImplementedError

    def _compared(self, among: faiss.IDSelector, query: FloatArray, limit: int) -> list[ScoredRow]:
        """The best of these rows, every one of which is compared with the query, shape (1, dimension)."""
        return self._nearest(self.largest_effort, among, query, limit)

    def _sample_size(self) -> int:
        """How many vectors are enough to train on."""
        return self.least

    def _unsorted_rows(self) -> Rows:
        rows: Rows = faiss.vector_to_array(self._engine.id_map)
        return rows

    def _add(self, rows: Rows, vectors: FloatArray) -> None:
        self._engine.add_with_ids(vectors, rows)

    def _remove(self, rows: Rows) -> None:
        self._engine.remove_ids(rows)

    def _make_changeable(self) -> None:
        """Whatever writes to a mapped index ends the process, so that one is read into memory first."""
        if self._mapped is not None:
            self._engine, self._mapped = _read(self._mapped, 0), None

    def _train(self, vectors: FloatArray) -> None:
        if len(vectors) < self.least:
            raise ValueError(
                f"The engine {self.name} is trained on at least {self.least:,} vectors, but got {len(vectors):,}; "
                "take the engine flat."
            )
        self._engine = self._empty(self.dimension, len(vectors))
        self._engine.train(_sample(vectors, self._sample_size()))

    def _nearest(
        self, effort: int, among: faiss.IDSelector | None, query: FloatArray, limit: int
    ) -> list[ScoredRow]:
        """The best rows that a search with this effort finds for the query, shape (1, dimension)."""
        parameters = self._parameters(effort, among)
        # both (1, limit), padded with row -1
        scores, rows = self._engine.search(query, limit, params=parameters)
        return [
            ScoredRow(int(row), float(score))
            for row, score in zip(rows[0], scores[0], strict=True)
            if row >= 0
        ]

    def _nearest_of(self, within: Rows) -> Callable[[FloatArray, int], list[ScoredRow]]:
        """A search of these rows alone, for a query of shape (1, dimension) and a limit."""
        among, total = only(within), len(self)
        if len(within) <= max(_ALL_COMPARED, total // 10):
            return partial(self._compared, among)
        # as many of these rows are looked at as of all rows otherwise
        effort = self.effort * total // len(within)

        def nearest(query: FloatArray, limit: int) -> list[ScoredRow]:
            found = self._nearest(effort, among, query, limit)
            return found if len(found) >= min(limit, len(within)) else self._compared(among, query, limit)

        return nearest


def _read(path: Path, flag: int) -> faiss.Index:
    try:
        return faiss.read_index(str(path), flag)
    except (RuntimeError, OSError) as error:
        raise IndexUnusableError(f"{path} is not a readable FAISS index; build the index again.") from error


def _sample(vectors: FloatArray, size: int) -> FloatArray:
    """``size`` of the vectors, or all where there are no more, in their order; always the same ones."""
    if len(vectors) <= size:
        return vectors
    places = np.random.default_rng(_TRAINING_SEED).choice(len(vectors), size, replace=False)
    return vectors[np.sort(places)]
