"""What the index that answers says of itself: its manifest, without the files."""

from pydantic import BaseModel, Field

from common.errors import IndexUnusableError
from retriever.fields import DocumentFields
from retriever.filters import Filter
from retriever.index import PassageIndex
from retriever.manifest import (
    Counts,
    EncoderIdentity,
    Manifest,
    PassageRecord,
    SourceRecord,
    VectorsRecord,
)


class IndexResponse(BaseModel):
    """The index that answers: how it was made, and from what."""

    generation: str
    created_at: str = Field(description="When it was built (ISO 8601, UTC).")
    loccit_version: str = Field(description="Of the Loccit that built it.")
    format_version: int
    counts: Counts
    encoder: EncoderIdentity
    passages: PassageRecord = Field(description="How documents were split, in words.")
    vectors: VectorsRecord = Field(description="The vector engine and its arguments.")
    sources: list[SourceRecord] = Field(
        description="Where the documents came from and on what terms; documents counts those that are in the index, "
        "malformed the records that were left out. A key that is limited to some documents is told of these alone."
    )
    fields: dict[str, int] = Field(
        description="What filters may name, with how many documents have a value of it."
    )


def index_response_of(index: PassageIndex, *, allowed: Filter | None = None) -> IndexResponse:
    """What `GET /indexes/current` returns; IndexUnusableError for an index in memory, which has no manifest.

    ``allowed``: there are no other documents than those that match it. Only their sources are told of then, and nothing
    of what was left out when the index was built.
    """
    if index.manifest is None or index.generation is None:
        raise IndexUnusableError(
            "The index is kept in memory and records nothing of itself; serve a built one."
        )
    manifest = index.manifest if allowed is None else _narrowed(index.manifest, index.fields, allowed)
    recorded = manifest.model_dump(include=IndexResponse.model_fields.keys() - {"generation", "fields"})
    return IndexResponse(generation=index.generation, fields=index.fields.counts(allowed), **recorded)


def _narrowed(manifest: Manifest, fields: DocumentFields, allowed: Filter) -> Manifest:
    """The manifest as if the index held only the documents that match."""
    seen = fields.selection(allowed)
    by_source = fields.count_by_source(seen)
    sources = tuple(
        source.model_copy(update={"documents": documents, "malformed": 0, "passed_over": {}})
        for source in manifest.sources
        if (documents := by_source.get(source.name))
    )
    counts = Counts(documents=seen.documents, passages=len(seen.rows))
    return manifest.model_copy(update={"counts": counts, "sources": sources})
