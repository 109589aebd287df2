"""What requests have in common."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from app.answering.checked_input import QUESTION_PATTERN
from retriever.document_ids import MAX_ID_CHARACTERS

NOT_BLANK: JsonDict = {"minLength": 1, "pattern": QUESTION_PATTERN}
"""What the schema says of a question; what its sentence says is more."""


class StrictRequest(BaseModel):
    """A body in which no value is converted and no unknown field passes."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _with_one_unknown_field(cls, given: Any) -> Any:  # noqa: ANN401 - any JSON value
        """The fields that are known and the first one that is not: an error for each of a million would hold everybody
        up.
        """
        if not isinstance(given, dict):
            return given
        known = {name: given[name] for name in cls.model_fields if name in given}
        unknown = [name for name in given if name not in known][:1]
        return {**known, **{name: given[name] for name in unknown}}


class HandedIn(StrictRequest):
    """A text that comes with a request."""

    document_id: Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARACTERS)] | None = Field(
        None, description="Your name for it; document-1, document-2, ... by place unless given."
    )
    title: str = Field("", max_length=1_000, description="Helps retrieval and is shown with quotes.")
    text: str
    url: Annotated[str, Field(max_length=2_000)] | None = Field(
        None, description="Handed back with citations, never fetched."
    )
