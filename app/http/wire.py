"""The wire: what requests and responses look like, with examples, for validation and OpenAPI alike."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from app.answering.accepted import MAX_QUESTION_CHARACTERS, GivenDocument, checked_documents, checked_question
from app.answering.options import AnswerLength
from app.http import examples
from app.service.ask import Ask
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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [examples.REQUEST, examples.REQUEST_FOR_LONG, examples.REQUEST_WITH_DOCUMENTS]
        }
    )

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
    documents: list[DocumentToRead] | None = Field(
        None, description="Answer from these texts alone, not from the index."
    )
    include: list[Includable] = Field(default_factory=list, description="What else the response shall hold.")

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


class Place(BaseModel):
    """Characters (Unicode code points) of a document, from ``start`` up to ``end``."""

    start: int = Field(ge=0)
    end: int = Field(ge=1)


class Citation(BaseModel):
    """A quote that stands word for word in a document: ``text[start:end] == quote``."""

    quote: str
    document_id: str
    title: str
    url: str | None
    start: int = Field(ge=0, description="In Unicode code points, not in UTF-16 units.")
    end: int = Field(ge=1, description="The quote ends before it.")
    support: float = Field(
        ge=0,
        le=1,
        description="How well title and quote back the short answer; of a further sentence, how near it is to the "
        "question.",
    )
    further: bool = Field(
        False, description="Whether a long answer adds this sentence to those that back the short one."
    )
    document_sha256: str = Field(description="Of the document's text in UTF-8, as it was when quoted.")
    locator: str | None = Field(description="Where in the original, such as a page; null for plain text.")
    before: str = Field(description="The document's text up to the quote, about a line of it.")
    after: str = Field(description="The document's text from the quote's end on, about a line of it.")


class Hit(BaseModel):
    """A retrieved passage with its place in its document."""

    row: int
    document_id: str
    start: int = Field(ge=0)
    end: int = Field(ge=1)
    title: str
    text: str
    continuation: str = Field(description="What follows the passage in its document: read with it.")
    score: float = Field(description="Higher is better; comparable within one response only.")
    rank: int = Field(ge=1, description="1 is best.")


class PassagePlace(BaseModel):
    """A passage, named by its place in its document."""

    row: int
    document_id: str
    start: int = Field(ge=0)
    end: int = Field(ge=1)


class Opinion(BaseModel):
    """What the adapted language model makes of an answer after reading the best passages."""

    logprob: float
    tokens: int
    right: float = Field(
        ge=0,
        le=1,
        description="How likely it is that the answer is the one wanted, as it learnt to judge; not calibrated.",
    )
    null: float = Field(ge=0, le=1, description="That nothing it read backs the answer.")
    pointer: Place | None = Field(description="Where it points in the candidate's passage.")
    pointed: float = Field(ge=0, le=1)


class Candidate(BaseModel):
    """An answer before any check, with the passage it was written from. Nothing vouches for it."""

    answer: str
    source: Literal["reader", "lm", "constrained"]
    logprob: float
    tokens: int
    sample: int
    pointer: Place | None
    opinion: Opinion | None = Field(description="null without an adapted language model.")
    passage: PassagePlace


class Alternative(BaseModel):
    """Another answer, with its own citations."""

    answer: str
    confidence: float = Field(ge=0, le=1)
    citations: list[Citation]


class Calibration(BaseModel):
    """What the confidence was fitted on, and whether that applies to what answered."""

    fitted_on: str
    applies: bool


class Model(BaseModel):
    """Which models answered."""

    encoder: str
    reader: Literal["trained", "lexical"]
    reader_sha256: str | None = Field(description="null for the lexical reader, which has no weights.")
    language_model: str | None = Field(description="null when the reader alone answers.")
    language_model_sha256: str | None
    adapter_sha256: str | None = Field(
        None, description="Of what was trained onto the language model; null without it."
    )


class Attribution(BaseModel):
    """The terms of one source of the index: show them wherever its text is shown."""

    source: str
    licence: str | None
    attribution: str | None
    snapshot: str | None


class AnswerResponse(BaseModel):
    """An answer with its quotes, or an abstention with its reason."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ANSWER, examples.LONG_ANSWER]})

    question: str = Field(description="As it was answered, white space tidied.")
    answer: str | None = Field(
        description="null when abstained. A long one is its citations' quotes in their order, white space tidied."
    )
    short_answer: str | None = Field(
        None, description="What the confidence is about: the answer, unless a long one was asked for."
    )
    abstained: bool
    abstain_reason: Literal["no_passages", "no_candidate", "no_quote", "low_confidence"] | None
    confidence: float = Field(
        ge=0,
        le=1,
        description="Orders answers: higher is surer. How likely the answer is right only where calibration applies.",
    )
    calibration: Calibration | None = Field(
        description="null: the confidence is a score that orders answers, not a probability."
    )
    citations: list[Citation]
    nearest: list[Citation] = Field(description="When abstained: the nearest quotes, to judge for yourself.")
    hits: list[Hit] = Field(default=[], description="Only when included.")
    candidates: list[Candidate] = Field(default=[], description="Only when included.")
    alternatives: list[Alternative] = Field(default=[], description="Only when included.")
    model: Model
    generation: str | None = Field(description="Of the index; null when documents were handed in.")
    attribution: list[Attribution] = Field(description="Of the index's sources.")
    timings_ms: dict[str, float] = Field(description="Milliseconds by stage, and their total.")


class DocumentResponse(BaseModel):
    """A stored document: what citations' offsets count in."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.DOCUMENT]})

    document_id: str
    title: str
    text: str
    url: str | None
    metadata: dict[str, Any]
    sha256: str = Field(description="Of the text in UTF-8.")
    attribution: list[Attribution] = Field(description="Of the index's sources.")


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"]


class Ready(BaseModel):
    """The models have answered a question."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.READY]})

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
