"""Loccit as a component of Haystack pipelines: ``pip install 'loccit-client[haystack]'``."""

from collections.abc import Mapping
from typing import Any, TypedDict

from haystack import Document, component, default_from_dict, default_to_dict
from haystack.dataclasses import ExtractedAnswer, GeneratedAnswer
from haystack.utils import Secret

from loccit_client.connection import DEFAULT_RETRIES, DEFAULT_TIMEOUT_S, DEFAULT_URL
from loccit_client.filters import Filter
from loccit_client.kept import Connecting, KeptClients
from loccit_client.models import Answer, Citation, Length
from loccit_client.plain import Plain, answer_as_plain, cited_as_plain

__all__ = ["LoccitAnswerer"]


class Answered(TypedDict):
    """What the component gives."""

    answers: list[GeneratedAnswer]
    quotes: list[ExtractedAnswer]
    documents: list[Document]
    abstained: bool
    meta: Plain


@component
class LoccitAnswerer:
    """Answers a query with quotes that stand word for word in the documents of a Loccit service.

    ``url``, ``api_key``, ``timeout``, ``retries``: as the client has them. ``top_k``, ``min_confidence``, ``length``,
    ``filter``: as ``POST /answer`` has them; what is None is as the server is set.

    It gives:
        ``answers``: the answer, or none when the service abstains. Its ``meta`` has all that ``meta`` has.
        ``quotes``: for each citation an answer whose ``data`` is the quote.
        ``documents``: for each citation the quote with about a line of text around it.
        ``abstained``: whether there is no answer, for a router.
        ``meta``: the whole answer or abstention as plain data: confidence, reason, nearest quotes, conflict, terms.

    The ``document_offset`` of a quote counts in ``document.content``. Where it stands in the document of the service is
    ``meta["start"]`` and ``meta["end"]``.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: Secret | None = Secret.from_env_var("LOCCIT_API_KEY", strict=False),  # noqa: B008 - it is frozen
        timeout: float = DEFAULT_TIMEOUT_S,
        retries: int = DEFAULT_RETRIES,
        top_k: int | None = None,
        min_confidence: float | None = None,
        length: Length | None = None,
        filter: Filter | None = None,
    ) -> None:
        self.url = url
        self.api_key = api_key
        self.timeout = timeout
        self.retries = retries
        self.top_k = top_k
        self.min_confidence = min_confidence
        self.length = length
        self.filter = filter
        self._kept = KeptClients()

    def to_dict(self) -> dict[str, Any]:
        """The component as data. A key that was given in clear is refused; one from the environment is named."""
        return default_to_dict(
            self,
            url=self.url,
            api_key=None if self.api_key is None else self.api_key.to_dict(),
            timeout=self.timeout,
            retries=self.retries,
            top_k=self.top_k,
            min_confidence=self.min_confidence,
            length=self.length,
            filter=None if self.filter is None else _plain_filter(self.filter),
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "LoccitAnswerer":
        """The component that these data describe."""
        made: LoccitAnswerer = default_from_dict(cls, data)
        return made

    @component.output_types(
        answers=list[GeneratedAnswer],
        quotes=list[ExtractedAnswer],
        documents=list[Document],
        abstained=bool,
        meta=dict[str, Any],
    )
    def run(
        self,
        query: str,
        top_k: int | None = None,
        min_confidence: float | None = None,
        filter: Filter | None = None,
    ) -> Answered:
        """Answer; what is given here goes before what the component was made with.

        Raises:
            LoccitClientError: whose text is a sentence; a ProblemError is the server's.
        """
        asked = self._asked(top_k, min_confidence, filter)
        return _answered(self._kept.waiting(self._connecting()).answer(query, **asked))

    @component.output_types(
        answers=list[GeneratedAnswer],
        quotes=list[ExtractedAnswer],
        documents=list[Document],
        abstained=bool,
        meta=dict[str, Any],
    )
    async def run_async(
        self,
        query: str,
        top_k: int | None = None,
        min_confidence: float | None = None,
        filter: Filter | None = None,
    ) -> Answered:
        """The same for asyncio."""
        asked = self._asked(top_k, min_confidence, filter)
        client = await self._kept.of_this_loop(self._connecting())
        return _answered(await client.answer(query, **asked))

    def close(self) -> None:
        """Close the connections of ``run``."""
        self._kept.close()

    async def close_async(self) -> None:
        """Close the connections."""
        await self._kept.aclose()

    def _connecting(self) -> Connecting:
        key = None if self.api_key is None else self.api_key.resolve_value()
        return {"url": self.url, "api_key": key, "timeout": self.timeout, "retries": self.retries}

    def _asked(
        self, top_k: int | None, min_confidence: float | None, filter: Filter | None
    ) -> dict[str, Any]:
        return {
            "top_k": self.top_k if top_k is None else top_k,
            "min_confidence": self.min_confidence if min_confidence is None else min_confidence,
            "length": self.length,
            "filter": self.filter if filter is None else filter,
        }


def _answered(told: Answer) -> Answered:
    quotes = [_quote(citation, told) for citation in told.citations]
    documents = [quote.document for quote in quotes if quote.document is not None]
    meta = answer_as_plain(told)
    answers = [] if told.answer is None else [GeneratedAnswer(told.answer, told.question, documents, meta)]
    return {
        "answers": answers,
        "quotes": quotes,
        "documents": documents,
        "abstained": told.abstained,
        "meta": meta,
    }


def _quote(citation: Citation, told: Answer) -> ExtractedAnswer:
    context = f"{citation.before}{citation.quote}{citation.after}"
    start = len(citation.before)
    span = ExtractedAnswer.Span(start, start + len(citation.quote))
    meta = cited_as_plain(citation, told)
    return ExtractedAnswer(
        query=told.question,
        score=told.confidence,
        data=citation.quote,
        document=Document(
            id=f"{citation.document_id}:{citation.start}-{citation.end}",
            content=context,
            score=citation.support,
            meta=meta,
        ),
        context=context,
        document_offset=span,
        context_offset=ExtractedAnswer.Span(span.start, span.end),
        meta=meta,
    )


def _plain_filter(given: Filter) -> Mapping[str, Any]:
    """With lists, which YAML knows, for any other sequence."""
    return {
        name: value if isinstance(value, str | int | float) else list(value) for name, value in given.items()
    }
