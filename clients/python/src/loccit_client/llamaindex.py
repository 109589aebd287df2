"""Loccit as a query engine of LlamaIndex: ``pip install 'loccit-client[llamaindex]'``."""

import os
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import (
    NodeRelationship,
    NodeWithScore,
    ObjectType,
    QueryBundle,
    RelatedNodeInfo,
    TextNode,
)

from loccit_client.connection import DEFAULT_RETRIES, DEFAULT_TIMEOUT_S, DEFAULT_URL
from loccit_client.filters import Filter
from loccit_client.kept import Connecting, KeptClients
from loccit_client.models import Answer, Citation, Length
from loccit_client.plain import answer_as_plain, cited_as_plain

__all__ = ["LoccitQueryEngine"]

# the digest and the text around the quote are no help to a model that is given the node
_NOT_FOR_MODELS = ["document_sha256", "before", "after", "quote", "start", "end", "further", "locator"]


class LoccitQueryEngine(BaseQueryEngine):
    """Answers queries from the documents of a Loccit service; ``source_nodes`` are the quotes, word for word.

    ``url``, ``api_key``, ``timeout``, ``retries``: as the client has them; without a key, LOCCIT_API_KEY is used where
    it is set. ``top_k``, ``min_confidence``, ``length``, ``filter``: as ``POST /answer`` has them.

    In a node, ``text`` is the quote, ``start_char_idx`` and ``end_char_idx`` say where it stands in the document of the
    service, and the source relationship names that document. The score is the support. ``metadata`` of the response
    is the whole answer as plain data. An abstention has no ``response`` and no nodes: ``metadata["abstained"]`` is
    true, and ``metadata["nearest"]`` has the nearest quotes.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout: float = DEFAULT_TIMEOUT_S,
        retries: int = DEFAULT_RETRIES,
        top_k: int | None = None,
        min_confidence: float | None = None,
        length: Length | None = None,
        filter: Filter | None = None,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        super().__init__(callback_manager)
        key = os.environ.get("LOCCIT_API_KEY") or None if api_key is None else api_key
        self._connecting: Connecting = {"url": url, "api_key": key, "timeout": timeout, "retries": retries}
        self._asked: dict[str, Any] = {
            "top_k": top_k,
            "min_confidence": min_confidence,
            "length": length,
            "filter": filter,
        }
        self._kept = KeptClients()

    def close(self) -> None:
        """Close the connections of ``query``."""
        self._kept.close()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._kept.aclose()

    def _query(self, query_bundle: QueryBundle) -> Response:
        return _response(self._kept.waiting(self._connecting).answer(query_bundle.query_str, **self._asked))

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        client = await self._kept.of_this_loop(self._connecting)
        return _response(await client.answer(query_bundle.query_str, **self._asked))

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


def _response(told: Answer) -> Response:
    nodes = [NodeWithScore(node=_node(citation, told), score=citation.support) for citation in told.citations]
    return Response(response=told.answer, source_nodes=nodes, metadata=answer_as_plain(told))


def _node(citation: Citation, told: Answer) -> TextNode:
    source = RelatedNodeInfo(
        node_id=citation.document_id,
        node_type=ObjectType.DOCUMENT,
        metadata={"title": citation.title, "url": citation.url},
    )
    return TextNode(
        id_=f"{citation.document_id}:{citation.start}-{citation.end}",
        text=citation.quote,
        start_char_idx=citation.start,
        end_char_idx=citation.end,
        metadata=cited_as_plain(citation, told),
        excluded_llm_metadata_keys=_NOT_FOR_MODELS,
        excluded_embed_metadata_keys=_NOT_FOR_MODELS,
        relationships={NodeRelationship.SOURCE: source},
    )
