"""paper-qa: a language model summarises and scores each passage found, then writes an answer from the summaries."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from lmi.embeddings import SentenceTransformerEmbeddingModel
from paperqa import Docs, Settings
from paperqa.prompts import CANNOT_ANSWER_PHRASE
from paperqa.types import Context, Doc, PQASession, Text

from benchmarks.peers.harness import LONGEST_ANSWER_S, Given, Passage, Quote, Told, main, processor_s
from benchmarks.peers.local_server import MODEL, MOST_NEW_TOKENS, NO_PENALTY, LocalServer

MOST_NEW_TOKENS_OF_A_SUMMARY = 128
"""Room for twice the 50 words that ``fast`` asks for."""
_PATIENCE_S = 600
"""For one reply, on a machine that may do other work."""


class PaperQa:
    """Its settings named ``fast`` (five passages, short summaries), without the agent that calls them, but the models,
    and one request at a time.
    """

    packages = ("paper-qa", "fhlmi", "litellm", "sentence-transformers", "transformers", "torch")

    def __init__(self, given: Given) -> None:
        self._given = given
        self._encoder = SentenceTransformerEmbeddingModel(name=given.encoder)
        self._settings = Settings.from_name("fast")
        self.servers: tuple[int, ...] = ()

    def index(self, passages: Sequence[Passage]) -> None:
        asyncio.run(self._docs([_text(passage) for passage in passages]))

    def open(self, passages: Sequence[Passage], vectors: np.ndarray) -> None:
        texts = [_text(passage, vector.tolist()) for passage, vector in zip(passages, vectors, strict=True)]
        self._collection = asyncio.run(self._docs(texts))
        server = LocalServer.of(self._given.folder)
        self.servers = (server.pid,)
        name = f"openai/{MODEL}"
        self._settings.llm = self._settings.summary_llm = name
        self._settings.llm_config = _config(name, server.url, MOST_NEW_TOKENS)
        self._settings.summary_llm_config = _config(name, server.url, MOST_NEW_TOKENS_OF_A_SUMMARY)
        self._settings.answer.max_concurrent_requests = 1

    def warm(self) -> None:
        """Build the index and load the encoder; the model's server is ready already."""
        found = self._collection.retrieve_texts("first", 1, self._settings, self._encoder)
        asyncio.run(found)

    def answer(self, question: str) -> Told:
        try:
            told = asyncio.run(self._ask_at_most(question))
        except TimeoutError:
            return Told(None, more={"failed": f"more than {LONGEST_ANSWER_S} s"})
        except Exception as error:  # what fails in a peer is a finding
            return Told(None, more={"failed": f"{type(error).__name__}: {error}"[:300]})
        cited = [context for context in told.contexts if context.id in told.used_contexts]
        more = {
            "abstained": CANNOT_ANSWER_PHRASE in told.raw_answer,
            "evidence": len(told.contexts),
            "evidence_verbatim": sum(map(_is_verbatim, told.contexts)),
        }
        return Told(told.raw_answer.strip() or None, list(map(_quote, cited)), more=more)

    async def _ask_at_most(self, question: str) -> PQASession:
        started = processor_s(self.servers)
        asking = asyncio.create_task(self._ask(question))
        while not (await asyncio.wait({asking}, timeout=1))[0]:
            if processor_s(self.servers) - started > LONGEST_ANSWER_S:
                asking.cancel()
                raise TimeoutError
        return asking.result()

    async def _ask(self, question: str) -> PQASession:
        return await self._collection.aquery(question, settings=self._settings, embedding_model=self._encoder)

    async def _docs(self, texts: Sequence[Text]) -> Docs:
        of_document: dict[str, list[Text]] = defaultdict(list)
        for text in texts:
            of_document[text.doc.dockey].append(text)
        docs = Docs()
        for some in of_document.values():
            await docs.aadd_texts(some, some[0].doc, settings=self._settings, embedding_model=self._encoder)
        return docs


def _config(name: str, url: str, most_new_tokens: int) -> dict[str, Any]:
    asked = {
        "model": name,
        "api_base": url,
        "api_key": "none",
        "temperature": 0.0,
        "max_tokens": most_new_tokens,
        "timeout": _PATIENCE_S,
        "extra_body": NO_PENALTY,
    }
    return {"model_list": [{"model_name": name, "litellm_params": asked}]}


def _text(passage: Passage, vector: list[float] | None = None) -> Text:
    """It embeds the text alone; the vectors that are given are of title and text."""
    doc = Doc(docname=passage.title, dockey=passage.document_id, citation=passage.title)
    return Text(text=passage.text, name=f"{passage.title} {passage.id}", doc=doc, embedding=vector)


def _quote(context: Context) -> Quote:
    """The passage of a summary that the answer cites."""
    return Quote(context.text.text, str(context.text.doc.dockey))


def _is_verbatim(context: Context) -> bool:
    """Whether the summary stands in its passage."""
    return bool(context.context) and context.context in context.text.text


if __name__ == "__main__":
    main(paper_qa=PaperQa)
