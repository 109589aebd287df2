"""The request to check an answer of any system."""

from typing import Annotated

from pydantic import Field

from app.answering.checked_input import MAX_QUESTION_CHARACTERS, GivenDocument, checked_documents
from app.http.wire.request import HandedIn, StrictRequest
from app.http.wire.shape import ID, Shape
from app.service.settings import MOST_DOCUMENTS, Settings
from common.errors import InvalidRequestError
from quote_check.check import QuoteToCheck
from quote_check.check_answer import AnswerToCheck, GivenClaim
from retriever.document_ids import MAX_ID_CHARACTERS

MAX_ANSWER_CHARACTERS = 50_000
"""Of an answer that is checked."""
MAX_CHECKED_CHARACTERS = 100_000
"""Of an answer, its quotes and its claims, all together: what a check takes grows with them."""
MAX_CHECKED = 200
"""Quotes of an answer that are checked at most, and claims."""

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
        "quotes[].document_id": ID,
        "claims": f"a list of at most {MAX_CHECKED} objects with a claim each",
        "claims[]": "an object with a claim",
        "claims[].claim": f"a text of at most {MAX_ANSWER_CHARACTERS:,} characters",
        "claims[].document_ids": "a list of at most 20 ids",
        "claims[].document_ids[]": ID,
        "claims[].quotes": _QUOTES,
        "claims[].quotes[]": "an object with a quote",
        "claims[].quotes[].quote": f"a text of at most {MAX_ANSWER_CHARACTERS:,} characters",
        "claims[].quotes[].document_id": ID,
        "documents": f"a list of at most {MOST_DOCUMENTS:,} objects with a text each",
        "documents[]": "an object with a text",
        "documents[].document_id": ID,
        "documents[].id": ID,
        "documents[].title": "a text of at most 1,000 characters",
        "documents[].text": "a text",
        "documents[].url": "a text of at most 2,000 characters",
        "sources": f"a list of at most {MAX_CHECKED} objects with a mark and a document_id",
        "sources[]": "an object with a mark and a document_id",
        "sources[].mark": "a text of 1 to 60 characters",
        "sources[].document_id": ID,
    },
)
_Id = Annotated[str, Field(min_length=1, max_length=MAX_ID_CHARACTERS)]


class QuoteOfAnswer(StrictRequest):
    """A quote that is said to stand in a document."""

    quote: str = Field(max_length=MAX_ANSWER_CHARACTERS)
    document_id: _Id | None = Field(None, description="Of the document that is cited; any unless given.")


class ClaimOfAnswer(StrictRequest):
    """A claim with what is said to back it."""

    claim: str = Field(max_length=MAX_ANSWER_CHARACTERS)
    quotes: Annotated[list[QuoteOfAnswer], Field(max_length=MAX_CHECKED, fail_fast=True)] = Field(
        default_factory=list
    )
    document_ids: Annotated[list[_Id], Field(max_length=20, fail_fast=True)] = Field(
        default_factory=list, description="Of the documents that it cites."
    )


class SourceOfAnswer(StrictRequest):
    """What a mark cites."""

    mark: str = Field(min_length=1, max_length=60, description="Without its brackets, such as 1.")
    document_id: _Id


class DocumentToCheck(HandedIn):
    """A text to check against."""

    text: str = Field(description="The offsets of what was found count in exactly this text.")

    id: _Id | None = Field(None, description="The same as document_id, which counts where both are given.")


class CheckRequest(StrictRequest):
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
    documents: Annotated[list[DocumentToCheck], Field(max_length=MOST_DOCUMENTS, fail_fast=True)] | None = (
        Field(
            None,
            description="Check against these texts alone, not against the index: one at least, and no more than the "
            "server's settings allow. No two may have the same id. [2] is the second where the answer names no "
            "sources.",
            json_schema_extra={"minItems": 1},
        )
    )
    sources: Annotated[list[SourceOfAnswer], Field(max_length=MAX_CHECKED, fail_fast=True)] = Field(
        default_factory=list,
        description="What the marks of the answer cite, where neither its own list of sources nor the order of the "
        "documents says so.",
    )

    def asked_with(self, settings: Settings) -> AnswerToCheck:
        """What is to be checked; InvalidRequestError when it is too much, or the documents are not acceptable."""
        if (count := self._characters()) > MAX_CHECKED_CHARACTERS:
            raise InvalidRequestError(
                f"The answer, its quotes and its claims have {count:,} characters, but at most "
                f"{MAX_CHECKED_CHARACTERS:,} are checked at once; send them in parts."
            )
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

    def _characters(self) -> int:
        """Of all that is to be checked."""
        given = [*self.quotes, *(quote for claim in self.claims for quote in claim.quotes)]
        texts = (self.answer, *(claim.claim for claim in self.claims), *(quote.quote for quote in given))
        return sum(map(len, texts))


def _quote_to_check(given: QuoteOfAnswer) -> QuoteToCheck:
    return QuoteToCheck(given.quote, () if given.document_id is None else (given.document_id,))
