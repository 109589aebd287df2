"""The wire: what requests look like, and the responses that only the server gives.

Those that `loccit ask` gives as well are in ``app.service.response``.
"""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from app.answering.checked_input import (
    MAX_QUESTION_CHARACTERS,
    GivenDocument,
    checked_documents,
    checked_question,
)
from app.answering.options import AnswerLength
from app.service.ask import Ask
from app.service.response import Model
from app.service.settings import Settings

Includable = Literal["hits", "candidates", "alternatives"]
INCLUDABLE: tuple[str, ...] = get_args(Includable)

EXPECTED = {
    "": 'a JSON object such as {"question": "who designed the eiffel tower"}',
    "question": f"a text of 1 to {MAX_QUESTION_CHARACTERS:,} characters",
    "top_k": "a whole number from 1 to 100",
    "min_confidence": "a number from 0 to 1",
    "length": "short or long",
    "documents": "a list of objects with a text each",
    "documents[]": "an object with a text",
    "documents[].document_id": "a text of 1 to 1,000 characters",
    "documents[].title": "a text of at most 1,000 characters",
    "documents[].text": "a text",
    "documents[].url": "a text of at most 2,000 characters",
    "include": f"a list of any of {', '.join(INCLUDABLE)}",
    "include[]": f"one of {', '.join(INCLUDABLE)}",
}
"""What each field of a request must be; the sentence about a wrong one ends with it."""


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class DocumentToRead(_Request):
    """A text to answer from."""

    document_id: Annotated[str, Field(min_length=1, max_length=1_000)] | None = Field(
        None, description="Your name for it; document-1, document-2, ... by place unless given."
    )
    title: str = Field("", max_length=1_000, description="Helps retrieval and is shown with quotes.")
    text: str = Field(description="Citations give offsets into exactly this text.")
    url: Annotated[str, Field(max_length=2_000)] | None = Field(
        None, description="Handed back with citations, never fetched."
    )


class AnswerRequest(_Request):
    """A question, and how to answer it."""

    question: str = Field(
        description=f"1 to {MAX_QUESTION_CHARACTERS:,} characters; runs of white space count as one."
    )
    top_k: Annotated[int, Field(ge=1, le=100)] | None = Field(
        None, description="Passages retrieved and read; the server's setting unless given."
    )
    min_confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        None, description="Abstain below this confidence; the server's setting unless given."
    )
    length: Literal["short", "long"] | None = Field(
        None,
        description="long: the sentences that back the answer and up to two more of the passage that are near the "
        "question, as they stand in it; the server's setting unless given.",
    )
    # the first wrong item ends the check: an error for each of a million would hold everybody up
    documents: Annotated[list[DocumentToRead], Field(fail_fast=True)] | None = Field(
        None, description="Answer from these texts alone, not from the index."
    )
    include: Annotated[list[Includable], Field(fail_fast=True)] = Field(
        default_factory=list, description="What else the response shall hold."
    )

    def ask(self, settings: Settings) -> Ask:
        """The checked question; InvalidRequestError when it or its documents are not acceptable."""
        documents = None
        if self.documents is not None:
            documents = checked_documents(
                [GivenDocument(**dict(document)) for document in self.documents],
                max_documents=settings.max_documents,
                max_characters=settings.max_document_characters,
            )
        length = None if self.length is None else AnswerLength(self.length)
        return Ask(checked_question(self.question), self.top_k, self.min_confidence, documents, length)


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"]


class Ready(BaseModel):
    """The models have answered a question."""

    status: Literal["ready"]
    generation: str | None
    model: Model


class Welcome(BaseModel):
    """What this is and where to go on."""

    name: str
    version: str
    answer: str
    openapi: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="A name for the kind of problem, or about:blank.")
    title: str
    status: int
    detail: str = Field(description="One sentence: what was wrong, the value, what would be right.")
    request_id: str | None = Field(
        None, description="Names the request in the service's log; also the header X-Request-ID."
    )
