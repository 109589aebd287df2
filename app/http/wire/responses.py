"""Responses that only the server gives; those that `loccit ask` gives as well are in ``app.service.response``."""

from typing import Literal

from pydantic import BaseModel, Field

from app.service.response import AnswerResponse, Calibration, Model


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"]


class Ready(BaseModel):
    """The models have answered a question."""

    status: Literal["ready"]
    generation: str | None
    model: Model


class Reloaded(BaseModel):
    """The index was opened anew."""

    generation: str | None = Field(description="What the next question is answered from.")
    previous: str | None = Field(
        description="What was answered from until now; the same where nothing was built."
    )
    calibration: Calibration | None = Field(
        description="What the confidence was fitted on, and whether that applies to the index as it is now. null: "
        "the confidence is a score."
    )


class Changed(BaseModel):
    """The index was changed, and is served as it is now."""

    document_id: str
    generation: str | None = Field(description="What the next question is answered from.")


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


class BatchItem(BaseModel):
    """What became of one question: a response or a problem, never both."""

    response: AnswerResponse | None = Field(default=None, description="Only of a question that got one.")
    problem: Problem | None = Field(default=None, description="Only of a question that got no response.")


class BatchResponse(BaseModel):
    """What became of the questions."""

    items: list[BatchItem] = Field(description="One for each question, in their order.")
