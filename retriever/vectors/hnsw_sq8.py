"""The engine that walks a graph of neighbours, with a byte for each number of a vector."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar

import faiss
import numpy as np

from retriever.encoder import FloatArray
from retriever.types import ScoredRow
from retriever.vectors.faiss_index import FaissVectorIndex
from retriever.vectors.protocol import Argument
from retriever.vectors.rows import Rows

_NEIGHBOURS = 32
_BUILD_EFFORT = 80


class HNSWSQ8VectorIndex(FaissVectorIndex):
    """A graph that links each vector with near ones, in 8 bits a number (FAISS HNSW, SQ8).

    ``M``: links of a vector; ``efConstruction``: how many vectors are looked at to find them; ``efSearch``, the effort:
    how many are kept in mind while searching. A graph cannot lose a vector, so removing builds it anew.
    """

    name: ClassVar[str] = "hnsw-sq8"
    least: ClassVar[int] = 1_000
    effort_name: ClassVar[str | None] = "efSearch"
    _usual_effort: ClassVar[int] = 128

    @property
    def arguments(self) -> Mapping[str, Argument]:
        return {"M": _NEIGHBOURS, "efConstruction": _BUILD_EFFORT, "efSearch": self.effort}

    @property
    def largest_effort(self) -> int:
        return 1024

    @staticmethod
    def _empty(dimension: int, _: int) -> faiss.Index:
        graph = faiss.IndexHNSWSQ(
            dimension, faiss.ScalarQuantizer.QT_8bit, _NEIGHBOURS, faiss.METRIC_INNER_PRODUCT
        )
        graph.hnsw.efConstruction = _BUILD_EFFORT
        return faiss.IndexIDMap2(graph)

    def _sample_size(self) -> int:
        return 65_536

    def _parameters(self, effort: int, among: faiss.IDSelector | None) -> faiss.SearchParameters:
        return faiss.SearchParametersHNSW(efSearch=effort, sel=among)

    def _compared(self, among: faiss.IDSelector, query: FloatArray, limit: int) -> list[ScoredRow]:
        rows = self._engine.id_map
        parameters = faiss.SearchParameters(sel=faiss.IDSelectorTranslated(rows, among))
        # both (1, limit), padded with place -1
        scores, places = self._vectors().search(query, limit, params=parameters)
        return [
            ScoredRow(int(rows.at(int(place))), float(score))
            for place, score in zip(places[0], scores[0], strict=True)
            if place >= 0
        ]

    def _add(self, rows: Rows, vectors: FloatArray) -> None:
        with _one_thread():
            super()._add(rows, vectors)

    def _remove(self, rows: Rows) -> None:
        held = self._unsorted_rows()
        kept = np.flatnonzero(~np.isin(held, rows))
        vectors = self._vectors().reconstruct_batch(kept)
        self._engine.reset()
        self._add(held[kept], vectors)

    def _vectors(self) -> faiss.Index:
        """The vectors without the graph, by their places in it."""
        return faiss.downcast_index(self._engine.index).storage


@contextmanager
def _one_thread() -> Iterator[None]:
    """Several threads would link the vectors in another order each time."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)
