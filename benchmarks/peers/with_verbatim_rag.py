"""verbatim-rag: a language model picks spans, which are kept where they stand in the passage, and a template."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from verbatim_core.llm_client import LLMClient
from verbatim_rag import VerbatimIndex, VerbatimRAG
from verbatim_rag.embedding_providers import SentenceTransformersProvider
from verbatim_rag.schema import DocumentSchema
from verbatim_rag.vector_stores import LocalMilvusStore

from benchmarks.peers.harness import Given, Passage, Quote, Told, main
from benchmarks.peers.local_model import LocalModel


class LocalClient(LLMClient):
    """Its client, which speaks OpenAI's protocol, with a model in this process. JSON is asked for, not enforced."""

    def __init__(self, folder: str) -> None:
        super().__init__(model="local")
        self._local = LocalModel(folder)

    def complete(
        self,
        prompt: str,
        json_mode: bool = False,  # noqa: ARG002 - as the client has it
        temperature: float | None = None,  # noqa: ARG002
        system_prompt: str | None = None,
    ) -> str:
        messages = [{"role": "system", "content": system_prompt}] if system_prompt else []
        return self._local.chat([*messages, {"role": "user", "content": prompt}])


class VerbatimRag:
    """All settings are defaults (five passages, a contextual template), but the models, and dense vectors alone."""

    packages = (
        "verbatim-rag",
        "verbatim-core",
        "milvus-lite",
        "sentence-transformers",
        "transformers",
        "torch",
    )

    def __init__(self, given: Given) -> None:
        self._given = given
        self._provider = SentenceTransformersProvider(given.encoder)
        self._folder = tempfile.TemporaryDirectory()
        self._stores = 0

    def index(self, passages: Sequence[Passage]) -> None:
        documents = [
            DocumentSchema(id=passage.id, title=passage.title, content=passage.text) for passage in passages
        ]
        self._index().add_documents_bulk(documents)

    def open(self, passages: Sequence[Passage], vectors: np.ndarray) -> None:
        self._passages = {passage.text: passage for passage in passages}
        index = self._index()
        for at in range(0, len(passages), 1000):
            some = passages[at : at + 1000]
            index.vector_store.add_vectors(
                ids=[passage.id for passage in some],
                dense_vectors=vectors[at : at + 1000].tolist(),
                sparse_vectors=None,
                texts=[passage.text for passage in some],
                enhanced_texts=[f"{passage.title}\n{passage.text}" for passage in some],
                metadatas=[_metadata(passage) for passage in some],
            )
        self._rag = VerbatimRAG(index, llm_client=LocalClient(self._given.language_model))

    def answer(self, question: str) -> Told:
        told = self._rag.query(question)
        quotes = [
            _quote(self._passages[document.content], highlight.text, highlight.start, highlight.end)
            for document in told.documents
            for highlight in document.highlights
        ]
        return Told(told.answer, quotes, more={"abstained": not quotes})

    def _index(self) -> VerbatimIndex:
        self._stores += 1
        store = LocalMilvusStore(
            db_path=str(Path(self._folder.name) / f"{self._stores}.db"), enable_sparse=False
        )
        return VerbatimIndex(vector_store=store, dense_provider=self._provider)


def _quote(passage: Passage, text: str, start: int, end: int) -> Quote:
    return Quote(text, passage.document_id, passage.start + start, passage.start + end)


def _metadata(passage: Passage) -> dict[str, Any]:
    return {"document_id": passage.id, "title": passage.title, "source": "", "chunk_number": 0}


if __name__ == "__main__":
    main(verbatim_rag=VerbatimRag)
