"""Where a quote stands, word for word, in the stored documents."""

from collections.abc import AsyncIterator
from contextlib import suppress

from app.answering.checked_input import MAX_QUESTION_CHARACTERS
from app.mcp.backend import Backend
from app.mcp.wire import CheckedQuote, QuoteToCheck
from app.service.response import DocumentResponse
from common.errors import DocumentNotFoundError
from retriever.types import RetrievalMode

PASSAGES_SEEN = 20
"""Of those that share a quote's words, how many name the documents that are looked through."""


async def located(asked: QuoteToCheck, backend: Backend) -> CheckedQuote:
    """The first place of a quote's very characters: in the named document, else in those that share its words."""
    async for document in _documents(asked, backend):
        start = document.text.find(asked.quote)
        if start >= 0:
            named = asked.document_id in (None, document.document_id)
            return CheckedQuote(
                quote=asked.quote,
                verdict="verbatim" if named else "another_document",
                document_id=document.document_id,
                title=document.title,
                start=start,
                end=start + len(asked.quote),
            )
    return CheckedQuote(
        quote=asked.quote, verdict="not_found", document_id=None, title=None, start=None, end=None
    )


async def _documents(asked: QuoteToCheck, backend: Backend) -> AsyncIterator[DocumentResponse]:
    if asked.document_id is not None:
        with suppress(DocumentNotFoundError):  # the quote may stand in another one
            yield await backend.document(asked.document_id)
    printable = "".join(character if character.isprintable() else " " for character in asked.quote)
    query = " ".join(printable.split())[:MAX_QUESTION_CHARACTERS].strip()
    if query:
        found = await backend.search(query, k=PASSAGES_SEEN, mode=RetrievalMode.LEXICAL)
        for document_id in dict.fromkeys(hit["document_id"] for hit in found.hits):
            if document_id != asked.document_id:
                yield await backend.document(document_id)
