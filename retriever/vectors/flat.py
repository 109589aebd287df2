"""The engine that compares a query with every vector: exact, and fast enough for some hundred thousand."""

from typing import ClassVar

import faiss

from retriever.vectors.faiss_index import FaissVectorIndex


class FlatVectorIndex(FaissVectorIndex):
    """Exact search over all vectors in float32 (FAISS Flat, inner product)."""

    name: ClassVar[str] = "flat"
    exact: ClassVar[bool] = True

    @staticmethod
    def _empty(dimension: int, _: int) -> faiss.Index:
        # IDMap2 keeps our rows beside the vectors; Flat alone renumbers them whenever one is removed
        return faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))

    def _parameters(self, _: int, among: faiss.IDSelector | None) -> faiss.SearchParameters | None:
        return None if among is None else faiss.SearchParameters(sel=among)
