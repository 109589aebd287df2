"""The request to search."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.answering.checked_input import MAX_QUESTION_CHARACTERS
from app.http.wire.request import NOT_BLANK
from app.http.wire.shape import PASSAGES, QUESTION, Shape
from app.service.search import LISTED
from retriever.filters import MAX_VALUES
from retriever.types import RetrievalMode

SEARCH_SHAPE = Shape(
    "address",
    "one such as /search?q=eiffel+tower",
    "parameter",
    {
        "q": QUESTION,
        "k": PASSAGES,
        "mode": f"one of {', '.join(RetrievalMode)}",
        "filter": f"given at most {MAX_VALUES:,} times: a field and a value, such as source=handbook",
    },
)


class SearchRequest(BaseModel):
    """What to search for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: str = Field(
        description=f"The query: 1 to {MAX_QUESTION_CHARACTERS:,} characters; runs of white space count as one.",
        json_schema_extra=NOT_BLANK,
    )
    k: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None,
        description=f"Passages at most; the server's top_k unless given, and {LISTED} where that is not set.",
    )
    mode: RetrievalMode | None = Field(None, description="Which search; the server's setting unless given.")
    filter: list[Annotated[str, Field(json_schema_extra={"pattern": "="})]] = Field(
        [],
        max_length=MAX_VALUES,
        description="A field and a value, such as source=handbook: only documents that have it. Given again: another "
        "value of the same field, or a further field. A value that is a number, true, false or a quoted text in JSON "
        "is that; any other is the text as it stands.",
    )
