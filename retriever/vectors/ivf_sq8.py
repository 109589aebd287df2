"""The engine that searches some of its lists, with a byte for each number of a vector."""

from typing import ClassVar

import faiss

from retriever.vectors.inverted_lists import InvertedLists, coarse


class IVFSQ8VectorIndex(InvertedLists):
    """Lists of vectors in 8 bits a number (FAISS IVF, SQ8): a quarter of flat's size, and nearly its scores."""

    name: ClassVar[str] = "ivf-sq8"
    least: ClassVar[int] = 1_000
    _usual_effort: ClassVar[int] = 128

    @classmethod
    def _empty(cls, dimension: int, vectors: int) -> faiss.Index:
        return faiss.IndexIVFScalarQuantizer(
            coarse(dimension),
            dimension,
            cls._lists(vectors),
            faiss.ScalarQuantizer.QT_8bit,
            faiss.METRIC_INNER_PRODUCT,
        )
