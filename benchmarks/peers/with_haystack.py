"""Haystack's extractive question answering: vectors in memory, and its reader over the ten best passages."""

from collections.abc import Sequence

import numpy as np
from haystack import Document, Pipeline
from haystack.components.retrievers import InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)
from haystack_integrations.components.readers.transformers import TransformersExtractiveReader

from benchmarks.peers.harness import Given, Passage, Quote, Told, main


class Haystack:
    """All settings are defaults, but the models and the title, which is embedded with each passage as Loccit does."""

    packages = (
        "haystack-ai",
        "transformers-haystack",
        "sentence-transformers-haystack",
        "transformers",
        "torch",
    )

    def __init__(self, given: Given) -> None:
        self._given = given
        self._embedder: SentenceTransformersDocumentEmbedder | None = None

    def index(self, passages: Sequence[Passage]) -> None:
        if self._embedder is None:
            self._embedder = SentenceTransformersDocumentEmbedder(
                model=self._given.encoder, meta_fields_to_embed=["title"], progress_bar=False
            )
            self._embedder.warm_up()
        embedded = self._embedder.run(documents=[_document(passage) for passage in passages])["documents"]
        InMemoryDocumentStore(embedding_similarity_function="cosine").write_documents(embedded)

    def open(self, passages: Sequence[Passage], vectors: np.ndarray) -> None:
        store = InMemoryDocumentStore(embedding_similarity_function="cosine")
        store.write_documents(
            [_document(passage, vector.tolist()) for passage, vector in zip(passages, vectors, strict=True)]
        )
        self._pipeline = Pipeline()
        self._pipeline.add_component(
            "embedder", SentenceTransformersTextEmbedder(model=self._given.encoder, progress_bar=False)
        )
        self._pipeline.add_component("retriever", InMemoryEmbeddingRetriever(store))
        self._pipeline.add_component("reader", TransformersExtractiveReader(model=self._given.untyped_reader))
        self._pipeline.connect("embedder.embedding", "retriever.query_embedding")
        self._pipeline.connect("retriever.documents", "reader.documents")

    def answer(self, question: str) -> Told:
        told = self._pipeline.run({"embedder": {"text": question}, "reader": {"query": question}})
        best = told["reader"]["answers"][0]
        answer = next(found for found in told["reader"]["answers"] if found.data is not None)
        meta, offset = answer.document.meta, answer.document_offset
        at = meta["start"]
        quote = Quote(answer.data, meta["document_id"], at + offset.start, at + offset.end)
        return Told(answer.data, [quote], answer.score, {"abstained": best.data is None})


def _document(passage: Passage, vector: list[float] | None = None) -> Document:
    meta = {"document_id": passage.document_id, "title": passage.title, "start": passage.start}
    return Document(id=passage.id, content=passage.text, meta=meta, embedding=vector)


if __name__ == "__main__":
    main(haystack=Haystack)
