"""What the index that answers says of itself: its manifest, without the files."""

from pydantic import BaseModel, Field

from common.errors import IndexUnusableError
from retriever.index import PassageIndex
from retriever.manifest import Counts, EncoderIdentity, PassageRecord, SourceRecord, VectorsRecord


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
        "malformed the records that were left out."
    )


def index_response_of(index: PassageIndex) -> IndexResponse:
    """What `GET /indexes/current` returns; IndexUnusableError for an index in memory, which has no manifest."""
    if index.manifest is None or index.generation is None:
        raise IndexUnusableError(
            "The index is kept in memory and records nothing of itself; serve a built one."
        )
    recorded = index.manifest.model_dump(include=IndexResponse.model_fields.keys() - {"generation"})
    return IndexResponse(generation=index.generation, **recorded)
