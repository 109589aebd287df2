"""The wire: what requests look like, and the responses that only the server gives.

Those that `loccit ask` gives as well are in ``app.service.response``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic.config import JsonDict

from app.answering.checked_input import (
    MAX_QUESTION_CHARACTERS,
    QUESTION_PATTERN,
    GivenDocument,
    checked_documents,
    checked_question,
    lone_surrogate,
)
from app.answering.options import AnswerLength
from app.service.ask import Ask
from app.service.changes import SOURCE, Put
from app.service.handed_in import TextFormat
from app.service.response import AnswerResponse, Calibration, Model
from app.service.search import LISTED
from app.service.settings import Settings
from common.errors import InvalidRequestError
from quote_check.check import QuoteToCheck
from quote_check.check_answer import AnswerToCheck, GivenClaim
from retriever.document_ids import MAX_ID_CHARACTERS, id_problem
from retriever.filters import MAX_VALUES, Filter
from retriever.metadata import MAX_DEPTH, nests_too_deeply
from retriever.types import Document, RetrievalMode

Includable = Literal["hits", "candidates", "alternatives"]
INCLUDABLE: tuple[str, ...] = get_args(Includable)

_ONE_QUESTION = '{"question": "who designed the eiffel tower"}'
_QUESTION = f"a text of 1 to {MAX_QUESTION_CHARACTERS:,} characters"
_PASSAGES = "a whole number from 1 to 100"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a part of a request must be; the sentence about a wrong one ends with it.

    ``whole``: what it is called, and ``right`` what it must be. ``part``: what its parts are called; ``parts``: what
    each must be, by its path (``documents[].text``).
    """

    whole: str
    right: str
    part: str
    parts: Mapping[str, str]


ANSWER_SHAPE = Shape(
    "body",
    f"a JSON object such as {_ONE_QUESTION}",
    "field",
    {
        "question": _QUESTION,
        "top_k": _PASSAGES,
        "min_confidence": "a number from 0 to 1",
        "length": "auto, short or long",
        "documents": "a list of objects with a text each",
        "documents[]": "an object with a text",
        "documents[].document_id": f"a text of 1 to {MAX_ID_CHARACTERS:,} characters",
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
DOCUMENT_SHAPE = Shape(
    "body",
    'a JSON object such as {"title": "House", "text": "The boiler is serviced every May."}',
    "field",
    {
        "title": "a text of at most 1,000 characters",
        "text": "a text",
        "url": "a text of at most 2,000 characters",
        "metadata": "an object",
        "source": "a text of 1 to 200 characters",
        "licence": "a text of 1 to 2,000 characters",
        "attribution": "a text of 1 to 2,000 characters",
    },
)
MAX_ANSWER_CHARACTERS = 50_000
"""Of an answer that is checked."""
MAX_CHECKED = 200
"""Quotes of an answer that are checked at most, and claims."""

_ID = f"a text of 1 to {MAX_ID_CHARACTERS:,} characters"
_QUOTES = f"a list of at most {MAX_CHECKED} objects with a quote each"
CHECK_SHAPE = Shape(
    "body",
    'a JSON object such as {"answer": "It says \\"the tower fell in 1703\\" [1]."}',
    "field",
    {
        "answer": f"a text of at most {MAX_ANSWER_CHARACTERS:,} characters",
        "question": f"a text of at most {MAX_QUESTION_CHARACTERS:,} characters",
        "quotes": _QUOTES,
        "quotes[]": "an object with a quote",
        "quotes[].quote": f"a text of at most {MAX_ANSWER_CHARACTERS:,} characters",
        "quotes[].document_id": _ID,
        "claims": f"a list of at most {MAX_CHECKED} objects with a claim each",
        "claims[]": "an object with a claim",
        "claims[].claim": f"a text of at most {MAX_ANSWER_CHARACTERS:,} characters",
        "claims[].document_ids": "a list of at most 20 ids",
        "claims[].document_ids[]": _ID,
        "claims[].quotes": _QUOTES,
        "claims[].quotes[]": "an object with a quote",
        "claims[].quotes[].quote": f"a text of at most {MAX_ANSWER_CHARACTERS:,} characters",
        "claims[].quotes[].document_id": _ID,
        "documents": "a list of objects with a text each",
        "documents[]": "an object with a text",
        "documents[].document_id": _ID,
        "documents[].id": _ID,
        "documents[].title": "a text of at most 1,000 characters",
        "documents[].text": "a text",
        "documents[].url": "a text of at most 2,000 characters",
        "sources": f"a list of at most {MAX_CHECKED} objects with a mark and a document_id",
        "sources[]": "an object with a mark and a document_id",
        "sources[].mark": "a text of 1 to 60 characters",
        "sources[].document_id": _ID,
    },
)
SEARCH_SHAPE = Shape(
    "address",
    "one such as /search?q=eiffel+tower",
    "parameter",
    {
        "q": _QUESTION,
        "k": _PASSAGES,
        "mode": f"one of {', '.join(RetrievalMode)}",
        "filter": "a field and a value, such as source=handbook",
    },
)


NOT_BLANK: JsonDict = {"minLength": 1, "pattern": QUESTION_PATTERN}
"""What the schema says of a question; what its sentence says is more."""


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


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _HandedIn(_Request):
    """A text that comes with a request."""

    document_id: Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARACTERS)] | None = Field(
        None, description="Your name for it; document-1, document-2, ... by place unless given."
    )
    title: str = Field("", max_length=1_000, description="Helps retrieval and is shown with quotes.")
    text: str
    url: Annotated[str, Field(max_length=2_000)] | None = Field(
        None, description="Handed back with citations, never fetched."
    )


class DocumentToRead(_HandedIn):
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


class QuestionToAnswer(_Request):
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

    documents: Annotated[list[DocumentToRead], Field(fail_fast=True)] | None = Field(
        None,
        description="Answer from these texts alone, not from the index: one at least, and no more than the server's "
        "settings allow. No two may have the same id.",
        json_schema_extra={"minItems": 1},
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


class DocumentToStore(_Request):
    """A text to index."""

    title: Annotated[str, Field(max_length=1_000)] | None = Field(
        None, description="Helps retrieval and is shown with quotes; the id unless given."
    )
    text: str = Field(
        description="Stored as it is: citations give offsets into exactly this text. It is not blank.",
        json_schema_extra={"minLength": 1, "pattern": r"\S"},
    )
    url: Annotated[str, Field(max_length=2_000)] | None = Field(
        None, description="Handed back with citations, never fetched."
    )
    metadata: dict[Any, Any] = Field(
        default_factory=dict,
        description=f"Stored with the document. Lists and objects stand at most {MAX_DEPTH} deep, itself among them.",
    )
    source: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description=f"That of the document it replaces unless given, and {SOURCE} for a new one."
    )
    licence: Annotated[str, Field(min_length=1, max_length=2_000)] | None = Field(
        None, description="Of the source, so of all of its documents; as it is unless given."
    )
    attribution: Annotated[str, Field(min_length=1, max_length=2_000)] | None = Field(
        None, description="Of the source, so of all of its documents; as it is unless given."
    )

    def put_as(self, document_id: str, settings: Settings) -> Put:
        """The document under this id; InvalidRequestError when its text or its metadata cannot be kept."""
        if not self.text.strip():
            raise InvalidRequestError(
                "The text is blank, so nothing would ever find it; give a text with words in it."
            )
        if len(self.text) > settings.max_document_characters:
            raise InvalidRequestError(
                f"The text has {len(self.text):,} characters, but at most {settings.max_document_characters:,} are "
                "accepted; give it in parts, or add it with `loccit index add`."
            )
        _check_metadata(self.metadata)
        document = Document(
            document_id, self.title or document_id, self.text, self.url, self.metadata, source=self.source
        )
        return Put(document, self.licence, self.attribution)


def checked_id(document_id: str) -> str:
    """The id; InvalidRequestError when no document can have it."""
    problem = id_problem(document_id)
    if not document_id.strip():
        problem = "The id is blank; write one into the address, after /documents/."
    elif (offset := lone_surrogate(document_id)) is not None:
        problem = (
            f"The id holds a lone surrogate at offset {offset}; a character needs both halves of its pair."
        )
    if problem is not None:
        raise InvalidRequestError(problem)
    return document_id


def _check_metadata(metadata: Mapping[Any, Any]) -> None:
    if nests_too_deeply(metadata):
        raise InvalidRequestError(
            f"The field metadata nests lists or objects more than {MAX_DEPTH} deep; keep it flat."
        )
    try:
        json.dumps(metadata, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidRequestError(
            "The field metadata holds a lone surrogate; a character needs both halves of its pair."
        ) from error
    except ValueError as error:
        raise InvalidRequestError(
            "The field metadata holds a number that is none in JSON; write one that is, or null."
        ) from error


class BatchRequest(_Request):
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


_Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARACTERS)]


class QuoteOfAnswer(_Request):
    """A quote that is said to stand in a document."""

    quote: str = Field(max_length=MAX_ANSWER_CHARACTERS)
    document_id: _Id | None = Field(None, description="Of the document that is cited; any unless given.")


class ClaimOfAnswer(_Request):
    """A claim with what is said to back it."""

    claim: str = Field(max_length=MAX_ANSWER_CHARACTERS)
    quotes: Annotated[list[QuoteOfAnswer], Field(max_length=MAX_CHECKED, fail_fast=True)] = Field(
        default_factory=list
    )
    document_ids: Annotated[list[_Id], Field(max_length=20, fail_fast=True)] = Field(
        default_factory=list, description="Of the documents that it cites."
    )


class SourceOfAnswer(_Request):
    """What a mark cites."""

    mark: str = Field(min_length=1, max_length=60, description="Without its brackets, such as 1.")
    document_id: _Id


class DocumentToCheck(_HandedIn):
    """A text to check against."""

    text: str = Field(description="The offsets of what was found count in exactly this text.")

    id: _Id | None = Field(None, description="The same as document_id, which counts where both are given.")


class CheckRequest(_Request):
    """An answer of any system, and what to check it against."""

    answer: str = Field(
        "",
        max_length=MAX_ANSWER_CHARACTERS,
        description="Plain text or Markdown. Quotes are found between double quotation marks, in block quotes, <q> "
        "and <blockquote>; marks are [1], [1, 2], [^1] and 【1】.",
    )
    question: str = Field(
        "",
        max_length=MAX_QUESTION_CHARACTERS,
        description="What was asked, where that is known: claims are judged with it.",
    )
    quotes: Annotated[list[QuoteOfAnswer], Field(max_length=MAX_CHECKED, fail_fast=True)] = Field(
        default_factory=list, description="Quotes beside those of the text."
    )
    claims: Annotated[list[ClaimOfAnswer], Field(max_length=MAX_CHECKED, fail_fast=True)] = Field(
        default_factory=list, description="Claims beside those of the text."
    )
    documents: Annotated[list[DocumentToCheck], Field(fail_fast=True)] | None = Field(
        None,
        description="Check against these texts alone, not against the index: one at least, and no more than the "
        "server's settings allow. No two may have the same id. [2] is the second where the answer names no sources.",
        json_schema_extra={"minItems": 1},
    )
    sources: Annotated[list[SourceOfAnswer], Field(max_length=MAX_CHECKED, fail_fast=True)] = Field(
        default_factory=list,
        description="What the marks of the answer cite, where neither its own list of sources nor the order of the "
        "documents says so.",
    )

    def asked_with(self, settings: Settings) -> AnswerToCheck:
        """What is to be checked; InvalidRequestError when the documents are not acceptable."""
        documents = None
        if self.documents is not None:
            documents = checked_documents(
                [
                    GivenDocument(each.text, each.document_id or each.id, each.title, each.url)
                    for each in self.documents
                ],
                max_documents=settings.max_documents,
                max_characters=settings.max_document_characters,
            )
        return AnswerToCheck(
            text=self.answer,
            quotes=tuple(map(_quote_to_check, self.quotes)),
            claims=tuple(
                GivenClaim(each.claim, tuple(map(_quote_to_check, each.quotes)), tuple(each.document_ids))
                for each in self.claims
            ),
            question=" ".join(self.question.split()),
            documents=documents,
            sources={each.mark: each.document_id for each in self.sources},
        )


def _quote_to_check(given: QuoteOfAnswer) -> QuoteToCheck:
    return QuoteToCheck(given.quote, () if given.document_id is None else (given.document_id,))


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
