"""Searching: the passages that retrieval finds for a query, without any language model.

`loccit search --json` and the HTTP server give the same response.
"""

from typing import Any

from pydantic import BaseModel, Field

from app.answering.trace_json import shapes
from app.answering.trace_json.writing import hit_as_json
from app.service.attribution import Attribution, attribution_of
from app.service.settings import Settings
from retriever.filters import Filter
from retriever.retriever import IndexRetriever
from retriever.types import RetrievalMode

LISTED = 5


class SearchResponse(BaseModel):
    """Passages, best first, each with its place in its stored document."""

    query: str = Field(description="As it was searched for, white space tidied.")
    mode: RetrievalMode
    hits: list[shapes.Hit]
    generation: str | None = Field(description="Of the index.")
    attribution: list[Attribution] = Field(
        description="Of the sources of these passages, each once; of all sources of the index where one's is not "
        "known, except for a key that is limited to some documents."
    )

    def as_json(self) -> dict[str, Any]:
        """The object on the wire."""
        return self.model_dump(mode="json")


def searched(
    retriever: IndexRetriever, query: str, *, k: int, allowed: Filter | None = None
) -> SearchResponse:
    """The response to a checked query: at most k passages.

    ``allowed``: there are no other documents than those that match it, and the retriever finds no others.
    """
    hits, index = retriever.retrieve(query, k=k), retriever.index
    return SearchResponse(
        query=query,
        mode=retriever.mode,
        hits=[hit_as_json(hit) for hit in hits],
        generation=index.generation,
        attribution=attribution_of({hit.passage.source for hit in hits}, index.manifest, allowed=allowed),
    )


def passages_listed(settings: Settings) -> int:
    """How many passages a search lists unless told: ``top_k`` where that was set, else 5."""
    return settings.top_k if "top_k" in settings.model_fields_set else LISTED
