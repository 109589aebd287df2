"""LlamaIndex's CitationQueryEngine: a vector index in memory, and a language model that cites numbered sources."""

import re
from collections.abc import Sequence

import numpy as np
from llama_index.core import Settings, VectorStoreIndex
from llama_index.core.query_engine import CitationQueryEngine
from llama_index.core.schema import TextNode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.llms.huggingface import HuggingFaceLLM

from benchmarks.peers.harness import Given, Passage, Quote, Told, main

MARK = re.compile(r"\[(\d+)\]")
PROMPT = "<|im_start|>user\n{query_str}<|im_end|>\n<|im_start|>assistant\n"
"""The language model's own form of a conversation, which its package names."""


class LlamaIndex:
    """All settings are defaults (two passages, 256 new tokens), but the models, the form of its prompt, and greedy
    decoding, so that it answers alike again.
    """

    packages = (
        "llama-index-core",
        "llama-index-llms-huggingface",
        "llama-index-embeddings-huggingface",
        "transformers",
        "torch",
    )

    def __init__(self, given: Given) -> None:
        self._given = given
        Settings.embed_model = HuggingFaceEmbedding(model_name=given.encoder, device="cpu")

    def index(self, passages: Sequence[Passage]) -> None:
        VectorStoreIndex([_node(passage) for passage in passages])

    def open(self, passages: Sequence[Passage], vectors: np.ndarray) -> None:
        nodes = [_node(passage, vector.tolist()) for passage, vector in zip(passages, vectors, strict=True)]
        llm = HuggingFaceLLM(
            model_name=self._given.language_model,
            tokenizer_name=self._given.language_model,
            query_wrapper_prompt=PROMPT,
            context_window=2048,
            device_map="cpu",
            generate_kwargs={"do_sample": False},
        )
        self._engine = CitationQueryEngine.from_args(VectorStoreIndex(nodes), llm=llm)

    def answer(self, question: str) -> Told:
        told = self._engine.query(question)
        answer = (told.response or "").strip()
        marks = sorted({int(mark) for mark in MARK.findall(answer)})
        quotes = [
            _quote(told.source_nodes[mark - 1].node) for mark in marks if 0 < mark <= len(told.source_nodes)
        ]
        return Told(answer or None, quotes, more={"marks": marks, "sources": len(told.source_nodes)})


def _quote(node: TextNode) -> Quote:
    """A source that is cited; its text begins with "Source 1:", which is no part of what is quoted."""
    text = re.sub(r"\ASource \d+:\n", "", node.text).strip("\n")
    return Quote(text, node.metadata["document_id"])


def _node(passage: Passage, vector: list[float] | None = None) -> TextNode:
    return TextNode(
        id_=passage.id,
        text=passage.text,
        metadata={"title": passage.title, "document_id": passage.document_id},
        excluded_embed_metadata_keys=["document_id"],
        embedding=vector,
    )


if __name__ == "__main__":
    main(llamaindex=LlamaIndex)
