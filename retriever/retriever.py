"""Retrieval: a question in, ranked passages out."""

from typing import Protocol

from retriever.encoder import Encoder
from retriever.fusion import reciprocal_rank_fusion
from retriever.index import PassageIndex
from retriever.types import Document, Hit, RetrievalMode, ScoredRow

DEPTH = 100


class Retriever(Protocol):
    """What answering needs of retrieval."""

    def retrieve(self, question: str, *, k: int) -> list[Hit]:
        """The best k passages, best first; fewer when there are fewer."""

    def document(self, doc_id: str) -> Document:
        """The stored document; DocumentNotFoundError when there is none of this id."""


class IndexRetriever:
    """Searches one index: dense, lexical, or both fused by reciprocal rank.

    ``depth``: how many rows of each search are fused (at least k).
    """

    def __init__(
        self,
        index: PassageIndex,
        encoder: Encoder,
        *,
        mode: RetrievalMode = RetrievalMode.HYBRID,
        depth: int = DEPTH,
    ) -> None:
        self._index, self._encoder, self._mode, self._depth = index, encoder, mode, depth

    def retrieve(self, question: str, *, k: int) -> list[Hit]:
        """The best k passages, best first: equal scores by row, so the same question gets the same hits."""
        scored = self._search(question, k)[:k]
        passages = self._index.store.passages([row for row, _ in scored])
        return [
            Hit(passage, score, rank)
            for rank, (passage, (_, score)) in enumerate(zip(passages, scored, strict=True), start=1)
        ]

    def document(self, doc_id: str) -> Document:
        return self._index.store.document(doc_id)

    def _search(self, question: str, k: int) -> list[ScoredRow]:
        if self._mode is RetrievalMode.DENSE:
            return self._dense(question, k)
        if self._mode is RetrievalMode.LEXICAL:
            return self._index.lexical.search(question, k=k)
        depth = max(k, self._depth)
        return reciprocal_rank_fusion(
            [self._dense(question, depth), self._index.lexical.search(question, k=depth)]
        )

    def _dense(self, question: str, k: int) -> list[ScoredRow]:
        return self._index.vectors.search(self._encoder.encode_queries([question]), k=k)[0]
