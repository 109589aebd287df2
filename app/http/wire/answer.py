"""Requests for answers: one question, or several."""

from dataclasses import replace
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic.config import JsonDict

from app.answering.checked_input import (
    MAX_QUESTION_CHARACTERS,
    GivenDocument,
    checked_documents,
    checked_question,
)
from app.answering.options import AnswerLength
from app.http.wire.request import NOT_BLANK, HandedIn, StrictRequest
from app.http.wire.shape import ID, PASSAGES, QUESTION, Shape
from app.service.ask import Ask
from app.service.handed_in import TextFormat
from app.service.settings import MOST_DOCUMENTS, Settings
from common.errors import InvalidRequestError
from retriever.filters import MAX_VALUES, Filter

Includable = Literal["hits", "candidates", "alternatives"]
INCLUDABLE: tuple[str, ...] = get_args(Includable)

_ONE_QUESTION = '{"question": "who designed the eiffel tower"}'
ANSWER_SHAPE = Shape(
    "body",
    f"a JSON object such as {_ONE_QUESTION}",
    "field",
    {
        "question": QUESTION,
        "top_k": PASSAGES,
        "min_confidence": "a number from 0 to 1",
        "length": "auto, short or long",
        "documents": f"a list of at most {MOST_DOCUMENTS:,} objects with a text each",
        "documents[]": "an object with a text",
        "documents[].document_id": ID,
        "documents[].title": "a text of at most 1,000 characters",
        "documents[].text": "a text",
        "documents[].format": "text, markdown or html",
        "documents[].url": "a text of at most 2,000 characters",
        "filter": 'an object such as {"source": "handbook"}',
        "include": f"a list of any of {', '.join(INCLUDABLE)}",
        "include[]": f"one of {', '.join(INCLUDABLE)}",
    },
)
QUESTION_SHAPE = Shape(
    "question",
    f"an object such as {_ONE_QUESTION}",
    "field",
    {name: right for name, right in ANSWER_SHAPE.parts.items() if not name.startswith("documents")},
)
BATCH_SHAPE = Shape(
    "body",
    f'a JSON object such as {{"questions": [{_ONE_QUESTION}]}}',
    "field",
    {"questions": "a list of objects with a question each, at least one"},
)
_FILTER_VALUE: JsonDict = {"type": ["string", "number", "boolean"]}
_FILTER: JsonDict = {
    "anyOf": [
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {
                "anyOf": [
                    _FILTER_VALUE,
                    {"type": "array", "items": _FILTER_VALUE, "minItems": 1, "maxItems": MAX_VALUES},
                ]
            },
        },
        {"type": "null"},
    ],
    "examples": [{"source": "handbook"}],
}


def _whole(value: object) -> object:
    """5.0 as 5: JSON knows one kind of number, and the schema's integer is any without a fraction."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


class DocumentToRead(HandedIn):
    """A text to answer from."""

    text: str = Field(
        description="Of the format text, citations give offsets into exactly this text; of another, into the text of "
        "the response's documents."
    )
    format: Literal["text", "markdown", "html"] = Field(
        "text",
        description="What the text is written in. Of Markdown and HTML, what a reader sees is read, quoted and counted "
        "in: without marks, navigation and the like.",
    )


class QuestionToAnswer(StrictRequest):
    """A question of several, and how to answer it."""

    question: str = Field(
        description=f"1 to {MAX_QUESTION_CHARACTERS:,} characters; runs of white space count as one.",
        json_schema_extra=NOT_BLANK,
    )
    top_k: Annotated[int, Field(ge=1, le=100), BeforeValidator(_whole)] | None = Field(
        None, description="Passages retrieved and read; the server's setting unless given."
    )
    min_confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        None, description="Abstain below this confidence; the server's setting unless given."
    )
    length: Literal["auto", "short", "long"] | None = Field(
        None,
        description="auto: what the question asks for; short: a few words; long: the sentences that back the answer "
        "and others of the passage that answer, as they stand in it. The server's setting unless given.",
    )
    filter: Annotated[Any, WithJsonSchema(_FILTER)] = Field(
        None,
        description="Answer only from documents of the index that have these values of these fields: one of the values "
        "of each. A field is document_id, source, licence or one of the documents' metadata; a list matches when an "
        "item does. Texts are compared code point by code point, true is not 1, and 1 is not a text. Nothing is found "
        "where no document matches; a field that no document has is refused. Not with documents.",
    )
    # the first wrong item ends the check: an error for each of a million would hold everybody up
    include: Annotated[list[Includable], Field(fail_fast=True)] = Field(
        default_factory=list, description="What else the response shall hold."
    )

    def ask(self, allowed: Filter | None) -> Ask:
        """The checked question; InvalidRequestError when it is not acceptable.

        ``allowed``: for whoever asks there are no other documents than those that match it.
        """
        return Ask(
            checked_question(self.question),
            self.top_k,
            self.min_confidence,
            length=None if self.length is None else AnswerLength(self.length),
            filter=None if self.filter is None else Filter.of(self.filter),
            allowed=allowed,
        )


class AnswerRequest(QuestionToAnswer):
    """A question, and how to answer it."""

    documents: Annotated[list[DocumentToRead], Field(max_length=MOST_DOCUMENTS, fail_fast=True)] | None = (
        Field(
            None,
            description="Answer from these texts alone, not from the index: one at least, and no more than the "
            "server's settings allow. No two may have the same id.",
            json_schema_extra={"minItems": 1},
        )
    )

    def ask_with(self, settings: Settings, allowed: Filter | None) -> Ask:
        """The checked question; InvalidRequestError when it or its documents are not acceptable.

        ``allowed``: see ``ask``. It is not about the documents that come with the question.
        """
        if self.documents is None:
            return self.ask(allowed)
        if self.filter is not None:
            raise InvalidRequestError(
                "A filter is about documents of the index, but documents came with the question; leave out one of them."
            )
        documents = checked_documents(
            [
                GivenDocument(document.text, document.document_id, document.title, document.url)
                for document in self.documents
            ],
            max_documents=settings.max_documents,
            max_characters=settings.max_document_characters,
        )
        formats = {
            checked.doc_id: TextFormat(asked.format)
            for checked, asked in zip(documents, self.documents, strict=True)
        }
        return replace(self.ask(allowed), documents=documents, formats=formats)


class BatchRequest(StrictRequest):
    """Several questions, each answered by itself."""

    # any value: one that is no question is refused in its own place, not with the others
    questions: list[Any] = Field(
        min_length=1,
        description="One at least, and no more than the server's setting max_questions allows.",
    )

    def checked(self, settings: Settings) -> list[Any]:
        """The questions, unchecked each; InvalidRequestError when there are too many."""
        if len(self.questions) > settings.max_questions:
            raise InvalidRequestError(
                f"{len(self.questions):,} questions were given, but at most {settings.max_questions:,} are accepted; "
                "send them in several requests."
            )
        return self.questions
