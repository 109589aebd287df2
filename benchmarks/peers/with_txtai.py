"""txtai's extractive question answering: an Embeddings database, and a question-answering model over the best three."""

from collections.abc import Sequence

import numpy as np
from txtai import Embeddings
from txtai.pipeline import RAG, Questions

from benchmarks.peers.harness import Given, Passage, Quote, Told, main


class Txtai:
    """All settings are defaults, but the models and ``output="reference"``, which names the passage of the answer."""

    packages = ("txtai", "transformers", "torch", "faiss-cpu")

    def __init__(self, given: Given) -> None:
        self._given = given
        self._embeddings: Embeddings | None = None

    def index(self, passages: Sequence[Passage]) -> None:
        if self._embeddings is None:
            self._embeddings = Embeddings(path=self._given.encoder, content=True, gpu=False)
        self._embeddings.index([(passage.id, _text(passage), None) for passage in passages])

    def open(self, passages: Sequence[Passage], vectors: np.ndarray) -> None:
        self._passages = {passage.id: passage for passage in passages}
        known = {_text(passage): vector for passage, vector in zip(passages, vectors, strict=True)}
        own = Embeddings(path=self._given.encoder, gpu=False)

        def transform(texts: list[str]) -> np.ndarray:
            """The vectors that are given; of a question, its own."""
            if all(text in known for text in texts):
                return np.stack([known[text] for text in texts])
            return own.batchtransform(texts, category="query")

        embeddings = Embeddings(method="external", transform=transform, content=True)
        embeddings.index([(passage.id, _text(passage), None) for passage in passages])
        self._rag = RAG(embeddings, Questions(self._given.reader, gpu=False), output="reference")

    def answer(self, question: str) -> Told:
        try:
            told = self._rag(question)
        except (
            TypeError
        ):  # its pointer stands at [CLS], which says "no answer here": txtai 9.14.0 fails on that
            return Told(None, more={"failed": "TypeError"})
        if not told["answer"]:
            return Told(None)
        passage = self._passages[told["reference"]]
        return Told(told["answer"], [Quote(passage.text, passage.document_id)])


def _text(passage: Passage) -> str:
    """Title and text, which Loccit embeds too."""
    return f"{passage.title}\n{passage.text}"


if __name__ == "__main__":
    main(txtai=Txtai)
