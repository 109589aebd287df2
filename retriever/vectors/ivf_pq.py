"""The engine that searches some of its lists, with one byte for four numbers of a vector."""

from typing import ClassVar

import faiss

from retriever.vectors.inverted_lists import InvertedLists, coarse

_CODE_BITS = 8
_NUMBERS_IN_A_CODE = (4, 3, 2, 1)  # the first that divides the dimension
_ROUNDS = (
    10  # of k-means for each code, and vectors that a value of a code is learnt from: FAISS takes 25 and 256
)
_LEARNT_FROM = 64


class IVFPQVectorIndex(InvertedLists):
    """Lists of vectors as codes of a byte for every few numbers (FAISS IVF, PQ)."""

    name: ClassVar[str] = "ivf-pq"
    least: ClassVar[int] = 39 * 2**_CODE_BITS  # FAISS warns below
    _usual_effort: ClassVar[int] = 128

    @classmethod
    def _empty(cls, dimension: int, vectors: int) -> faiss.Index:
        engine = faiss.IndexIVFPQ(
            coarse(dimension),
            dimension,
            cls._lists(vectors),
            dimension // next(numbers for numbers in _NUMBERS_IN_A_CODE if dimension % numbers == 0),
            _CODE_BITS,
            faiss.METRIC_INNER_PRODUCT,
        )
        engine.pq.cp.niter = _ROUNDS
        engine.pq.cp.max_points_per_centroid = _LEARNT_FROM
        return engine
