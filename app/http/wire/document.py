"""Requests that change a document of the index."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from app.answering.checked_input import lone_surrogate
from app.http.wire.request import StrictRequest
from app.http.wire.shape import Shape
from app.service.changes import SOURCE, Put
from app.service.settings import Settings
from common.errors import InvalidRequestError
from retriever.document_ids import id_problem
from retriever.metadata import MAX_DEPTH, nests_too_deeply
from retriever.types import Document

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


class DocumentToStore(StrictRequest):
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
