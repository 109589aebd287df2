"""The engine that searches some of its lists, with four bits for a number of a vector or fewer."""

from typing import ClassVar

import faiss

from retriever.vectors.inverted_lists import InvertedLists, coarse

_CODE_BITS = 8


class IVFPQVectorIndex(InvertedLists):
    """Lists of vectors as codes of a byte for every few numbers (FAISS IVF, PQ)."""

    name: ClassVar[str] = "ivf-pq"
    least: ClassVar[int] = 39 * 2**_CODE_BITS  # FAISS warns below
    _usual_effort: ClassVar[int] = 32

    @classmethod
    def _empty(cls, dimension: int, vectors: int) -> faiss.Index:
        return faiss.IndexIVFPQ(
            coarse(dimension),
            dimension,
            cls._lists(vectors),
            dimension // 4,
            _CODE_BITS,
            faiss.METRIC_INNER_PRODUCT,
        )
