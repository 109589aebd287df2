"""Retrieval: a question in, ranked passages out."""

from typing import Protocol

import numpy as np

from retriever.encoder import Encoder, FloatArray
from retriever.fields import Selection
from retriever.fusion import convex_combination
from retriever.index import PassageIndex
from retriever.source_names import SourceNames
from retriever.store import document_not_found
from retriever.types import Document, Hit, RetrievalMode, ScoredRow

DEPTH = 100


class Retriever(Protocol):
    """What answering needs of retrieval."""

    def retrieve(self, question: str, *, k: int) -> list[Hit]:
        """The best k passages, best first; fewer when there are fewer."""

    def document(self, doc_id: str) -> Document:
        """The stored document; DocumentNotFoundError when there is none of this id."""


class IndexRetriever:
    """Searches one index: dense, lexical, or both, their scores combined.

    The vector of a question that names a source lies midway to that of the question without the name: passages seldom
    name what all of them are about, and those that do are introductions
    (docs/decisions/0048-the-name-of-a-source-is-half-a-word.md).

    ``index``, ``mode``: what it searches, and how. ``depth``: how many rows of each search are combined (at least k).
    ``selection``: the documents that there are for whoever asks; None: all of the index.
    """

    def __init__(
        self,
        index: PassageIndex,
        encoder: Encoder,
        *,
        mode: RetrievalMode = RetrievalMode.HYBRID,
        depth: int = DEPTH,
        selection: Selection | None = None,
    ) -> None:
        self.index, self.mode, self.selection = index, mode, selection
        self._encoder, self._depth = encoder, depth
        sources = () if index.manifest is None else index.manifest.sources
        self._names = SourceNames(source.name for source in sources)

    def retrieve(self, question: str, *, k: int) -> list[Hit]:
        """The best k passages, best first: equal scores by row, so the same question gets the same hits."""
        scored = self._search(question, k)[:k]
        passages = self.index.store.passages([row for row, _ in scored])
        return [
            Hit(passage, score, rank)
            for rank, (passage, (_, score)) in enumerate(zip(passages, scored, strict=True), start=1)
        ]

    def document(self, doc_id: str) -> Document:
        if self.selection is not None and not self.selection.holds(doc_id):
            raise document_not_found(doc_id)
        return self.index.store.document(doc_id)

    def _search(self, question: str, k: int) -> list[ScoredRow]:
        within = None if self.selection is None else self.selection.rows
        if self.mode is RetrievalMode.LEXICAL:
            return self.index.lexical.search(question, k=k, within=within)
        vectors = self.index.vectors
        query = self._query(question)
        if self.mode is RetrievalMode.DENSE:
            return vectors.search(query, k=k, within=within)[0]
        depth = max(k, self._depth)
        cosines = dict(vectors.search(query, k=depth, within=within)[0])
        lexical = self.index.lexical.search(question, k=depth, within=within)
        unknown = [row for row, _ in lexical if row not in cosines]
        cosines |= zip(unknown, vectors.scores(query[0], unknown), strict=True)
        return convex_combination(cosines, lexical)

    def _query(self, question: str) -> FloatArray:
        """The question's vector, of length 1. (1, dimension)"""
        without = self._names.without(question)
        if without == question:
            return self._encoder.encode_queries([question])
        both: FloatArray = self._encoder.encode_queries([question, without]).sum(axis=0, keepdims=True)
        return both / np.float32(np.linalg.norm(both))
