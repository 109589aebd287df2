"""paper-qa: a language model summarises and scores each passage found, then writes an answer from the summaries."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from lmi.embeddings import SentenceTransformerEmbeddingModel
from paperqa import Docs, Settings
from paperqa.prompts import CANNOT_ANSWER_PHRASE
from paperqa.types import Context, Doc, PQASession, Text

from benchmarks.peers.harness import LONGEST_ANSWER_S, Given, Passage, Quote, Told, main
from benchmarks.peers.local_server import MODEL, MOST_NEW_TOKENS, NO_PENALTY, LocalServer


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
        asked = {
            "model": name,
            "api_base": server.url,
            "api_key": "none",
            "temperature": 0.0,
            "max_tokens": MOST_NEW_TOKENS,
            "timeout": LONGEST_ANSWER_S,
            "extra_body": NO_PENALTY,
        }
        config = {"model_list": [{"model_name": name, "litellm_params": asked}]}
        self._settings.llm = self._settings.summary_llm = name
        self._settings.llm_config = self._settings.summary_llm_config = config
        self._settings.answer.max_concurrent_requests = 1

    def answer(self, question: str) -> Told:
        try:
            told = asyncio.run(asyncio.wait_for(self._ask(question), LONGEST_ANSWER_S))
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
