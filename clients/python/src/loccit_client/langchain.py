"""Loccit as retrievers and a tool of LangChain: ``pip install 'loccit-client[langchain]'``."""

import json
from collections.abc import Callable
from typing import Any, Literal

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    AsyncCallbackManagerForToolRun,
    CallbackManagerForRetrieverRun,
    CallbackManagerForToolRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import BaseTool, ToolException
from langchain_core.tools.base import ArgsSchema
from langchain_core.utils import secret_from_env
from pydantic import BaseModel, Field, PrivateAttr, SecretStr

from loccit_client.connection import DEFAULT_RETRIES, DEFAULT_TIMEOUT_S, DEFAULT_URL
from loccit_client.errors import LoccitClientError
from loccit_client.filters import Filter
from loccit_client.kept import Connecting, KeptClients
from loccit_client.models import Answer, Citation, Length, Mode, SearchResult
from loccit_client.plain import Plain, answer_as_plain, cited_as_plain, hit_as_plain

__all__ = ["LoccitQuoteRetriever", "LoccitRetriever", "LoccitTool", "citation_documents"]

_key: Callable[[], SecretStr | None] = secret_from_env("LOCCIT_API_KEY", default=None)


class _Asking(BaseModel):
    """How a service is reached, and the clients that are kept."""

    url: str = DEFAULT_URL
    api_key: SecretStr | None = Field(default_factory=_key)
    timeout: float = DEFAULT_TIMEOUT_S
    retries: int = DEFAULT_RETRIES
    filter: Filter | None = None
    _kept: KeptClients = PrivateAttr(default_factory=KeptClients)

    def close(self) -> None:
        """Close the connections of calls that wait."""
        self._kept.close()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._kept.aclose()

    def _connecting(self) -> Connecting:
        key = None if self.api_key is None else self.api_key.get_secret_value()
        return {"url": self.url, "api_key": key, "timeout": self.timeout, "retries": self.retries}


class _Answering(_Asking):
    """What ``POST /answer`` takes; what is None is as the server is set."""

    top_k: int | None = None
    min_confidence: float | None = None
    length: Length | None = None

    def _answer(self, question: str) -> Answer:
        return self._kept.waiting(self._connecting()).answer(question, **self._asked())

    async def _aanswer(self, question: str) -> Answer:
        client = await self._kept.of_this_loop(self._connecting())
        return await client.answer(question, **self._asked())

    def _asked(self) -> dict[str, Any]:
        return {
            "top_k": self.top_k,
            "min_confidence": self.min_confidence,
            "length": self.length,
            "filter": self.filter,
        }


class LoccitRetriever(_Asking, BaseRetriever):
    """Finds the passages that are nearest to a query, best first, as ``GET /search`` does: without answering.

    The metadata of a document has ``document_id``, ``title``, ``url``, ``start``, ``end``, ``score`` and ``rank``.
    """

    k: int = 5
    mode: Mode | None = None

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002
    ) -> list[Document]:
        client = self._kept.waiting(self._connecting())
        return _passages(client.search(query, k=self.k, mode=self.mode, filter=self.filter))

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002
    ) -> list[Document]:
        client = await self._kept.of_this_loop(self._connecting())
        return _passages(await client.search(query, k=self.k, mode=self.mode, filter=self.filter))


class LoccitQuoteRetriever(_Answering, BaseRetriever):
    """Answers, and gives the quotes that back the answer: documents whose text is a quote. None when it abstains.

    The metadata has ``quote``, ``start``, ``end``, ``title``, ``url``, ``document_id``, ``support``, and the ``answer``
    with its ``confidence``. Why it abstains is told by LoccitTool.
    """

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002
    ) -> list[Document]:
        return citation_documents(self._answer(query))

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002
    ) -> list[Document]:
        return citation_documents(await self._aanswer(query))


class LoccitQuestion(BaseModel):
    """What a model gives the tool."""

    question: str = Field(description="One question in plain English, 1 to 2,000 characters.")


class LoccitTool(_Answering, BaseTool):
    """A tool that answers from the documents of a service. Its messages have an artifact with all citations.

    The content, for the model, is JSON: the answer, its confidence and its quotes, or an abstention with its reason.
    The artifact is the whole answer as plain data. What goes wrong is a ToolException with one sentence:
    ``handle_tool_error=True`` tells it to the model.
    """

    name: str = "loccit"
    description: str = (
        "Answers a question from the indexed documents and quotes them word for word. Repeat quotes exactly as they "
        "are given, and say which document they stand in. Where abstained is true, the documents do not answer the "
        "question: say so."
    )
    args_schema: ArgsSchema | None = LoccitQuestion
    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"

    def _run(
        self,
        question: str,
        run_manager: CallbackManagerForToolRun | None = None,  # noqa: ARG002
    ) -> tuple[str, Plain]:
        try:
            return _told(self._answer(question))
        except LoccitClientError as error:
            raise ToolException(str(error)) from error

    async def _arun(
        self,
        question: str,
        run_manager: AsyncCallbackManagerForToolRun | None = None,  # noqa: ARG002
    ) -> tuple[str, Plain]:
        try:
            return _told(await self._aanswer(question))
        except LoccitClientError as error:
            raise ToolException(str(error)) from error


def citation_documents(answer: Answer) -> list[Document]:
    """For each citation a document whose text is the quote; none of an abstention."""
    return [
        Document(
            id=f"{citation.document_id}:{citation.start}-{citation.end}",
            page_content=citation.quote,
            metadata=cited_as_plain(citation, answer),
        )
        for citation in answer.citations
    ]


def _passages(found: SearchResult) -> list[Document]:
    return [
        Document(
            id=f"{hit.document_id}:{hit.start}-{hit.end}", page_content=hit.text, metadata=hit_as_plain(hit)
        )
        for hit in found.hits
    ]


def _told(answer: Answer) -> tuple[str, Plain]:
    """What the model reads, and the artifact."""
    artifact = answer_as_plain(answer)
    read: Plain = {
        "answer": answer.answer,
        "abstained": answer.abstained,
        "abstain_reason": answer.abstain_reason,
        "confidence": round(answer.confidence, 2),
        "quotes": [_quote(citation) for citation in answer.citations],
    }
    if answer.conflict is not None:
        rival = answer.conflict
        read["other_answer"] = {"answer": rival.answer, "quotes": [_quote(each) for each in rival.citations]}
    return json.dumps(read, ensure_ascii=False), artifact


def _quote(citation: Citation) -> Plain:
    return {
        "quote": citation.quote,
        "title": citation.title,
        "document_id": citation.document_id,
        "url": citation.url,
    }
