"""verbatim-rag: a language model picks spans, which are kept where they stand in the passage, and a template."""

import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# It is not needed here, and the wheel on PyPI fails beside PyTorch for the processor alone. So nobody finds it.
sys.modules["torchvision"] = None  # type: ignore[assignment]
# ruff: noqa: E402

import numpy as np
from openai.types.chat import ChatCompletion
from verbatim_core.llm_client import LLMClient
from verbatim_rag import VerbatimIndex, VerbatimRAG
from verbatim_rag.embedding_providers import SentenceTransformersProvider
from verbatim_rag.schema import DocumentSchema
from verbatim_rag.vector_stores import LocalMilvusStore

from benchmarks.peers.harness import LONGEST_ANSWER_S, Given, Passage, Quote, Told, main, processor_s
from benchmarks.peers.local_server import MODEL, MOST_NEW_TOKENS, NO_PENALTY, LocalServer


class VerbatimRag:
    """All settings are defaults (five passages, a contextual template), but the models, greedy decoding, and dense
    vectors alone.
    """

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
        self._finished: list[str] = []
        self.servers: tuple[int, ...] = ()

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
        server = LocalServer.of(self._given.folder)
        self.servers = (server.pid,)
        self._rag = VerbatimRAG(index, llm_client=self._client(server.url))

    def warm(self) -> None:
        """Load the encoder and search once; the model's server is ready already."""
        self._rag.index.query(text="first", k=1)

    def answer(self, question: str) -> Told:
        self._finished.clear()
        try:
            with _at_most(LONGEST_ANSWER_S, self.servers):
                told = self._rag.query(question)
        except _TooLongError:
            return Told(
                None, more={"failed": f"more than {LONGEST_ANSWER_S} s", "requests": self._requests()}
            )
        quotes = [
            _quote(self._passages[document.content], highlight.text, highlight.start, highlight.end)
            for document in told.documents
            for highlight in document.highlights
        ]
        more = {"abstained": not quotes, "requests": self._requests()}
        return Told(told.answer, quotes, more=more)

    def _client(self, url: str) -> LLMClient:
        """Its own client; what it asks is bounded, and how each reply ended is kept."""
        client = LLMClient(model=MODEL, temperature=0.0, api_base=url)
        completions = client.client.chat.completions
        create = completions.create

        def bounded(**request: object) -> ChatCompletion:
            reply: ChatCompletion = create(**request, max_tokens=MOST_NEW_TOKENS, extra_body=NO_PENALTY)
            self._finished.append(reply.choices[0].finish_reason)
            return reply

        completions.create = bounded
        return client

    def _requests(self) -> list[str]:
        """How each reply of the model ended: "stop", or "length" where it was cut."""
        return list(self._finished)

    def _index(self) -> VerbatimIndex:
        self._stores += 1
        store = LocalMilvusStore(
            db_path=str(Path(self._folder.name) / f"{self._stores}.db"), enable_sparse=False
        )
        return VerbatimIndex(vector_store=store, dense_provider=self._provider)


class _TooLongError(BaseException):
    """No Exception, for the peer goes on after any of those."""


@contextmanager
def _at_most(seconds: float, servers: Sequence[int]) -> Iterator[None]:
    """Stops what is done within after these seconds of the processor, looking at it once a second."""
    started = processor_s(servers)

    def look(*_: object) -> None:
        if processor_s(servers) - started > seconds:
            raise _TooLongError

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _quote(passage: Passage, text: str, start: int, end: int) -> Quote:
    return Quote(text, passage.document_id, passage.start + start, passage.start + end)


def _metadata(passage: Passage) -> dict[str, Any]:
    return {"document_id": passage.id, "title": passage.title, "source": "", "chunk_number": 0}


if __name__ == "__main__":
    main(verbatim_rag=VerbatimRag)
