"""What the engines that sort vectors into lists have in common: a query is compared with some of the lists (IVF)."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Self

import faiss
import numpy as np

from retriever.encoder import FloatArray
from retriever.vectors.faiss_index import FaissVectorIndex
from retriever.vectors.protocol import Argument
from retriever.vectors.rows import Rows

_ADDED_AT_ONCE = 65_536  # vectors: their codes are kept twice while they are sorted into lists
_LEARNT_FROM = 64  # vectors a list, where there are so many
_LEARNT_FROM_AT_LEAST = 39  # FAISS warns below


class InvertedLists(FaissVectorIndex):
    """Vectors in lists around centroids that k-means found (FAISS IVF, inner product).

    ``nlist``: how many lists there are; ``nprobe``, the effort: how many of them are searched. What is held is what
    a vector differs from its centroid by, in few bits.
    """

    effort_name: ClassVar[str | None] = "nprobe"
    _map_flag: ClassVar[int] = faiss.IO_FLAG_MMAP

    @classmethod
    def load(cls, path: Path) -> Self:
        index = super().load(path)
        # FAISS would start up to 32 threads a search, to have lists read that the system reads all the same
        faiss.downcast_InvertedLists(index._engine.invlists).prefetch_nthread = 0
        return index

    @property
    def arguments(self) -> Mapping[str, Argument]:
        return {"nlist": self._engine.nlist, "nprobe": self.effort}

    @property
    def largest_effort(self) -> int:
        return int(self._engine.nlist)

    @staticmethod
    def _lists(vectors: int) -> int:
        """How many lists so many vectors are sorted into."""
        return max(1, min(round(2 * math.sqrt(vectors)), vectors // _LEARNT_FROM_AT_LEAST))

    def _sample_size(self) -> int:
        return max(self.least, _LEARNT_FROM * int(self._engine.nlist))

    def _parameters(self, effort: int, among: faiss.IDSelector | None) -> faiss.SearchParameters:
        return faiss.SearchParametersIVF(nprobe=min(effort, self.largest_effort), sel=among)

    def _unsorted_rows(self) -> Rows:
        lists = self._engine.invlists
        rows = [
            faiss.rev_swig_ptr(lists.get_ids(number), size).copy()
            for number in range(lists.nlist)
            if (size := lists.list_size(number))
        ]
        return np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)

    def _train(self, vectors: FloatArray) -> None:
        super()._train(vectors)
        # where a row's vector lies: single rows are scored and removed by it
        self._engine.set_direct_map_type(faiss.DirectMap.Hashtable)

    def _add(self, rows: Rows, vectors: FloatArray) -> None:
        for first in range(0, len(rows), _ADDED_AT_ONCE):
            block = slice(first, first + _ADDED_AT_ONCE)
            super()._add(rows[block], vectors[block])

    def _remove(self, rows: Rows) -> None:
        self._engine.remove_ids(faiss.IDSelectorArray(rows))


def coarse(dimension: int) -> faiss.Index:
    """What compares a query with the centroids."""
    return faiss.IndexFlatIP(dimension)
