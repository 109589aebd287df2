"""What the tools ask: an index of this machine, or a service that runs already."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from app.http.wire.check import CheckRequest
from app.service.ask import Ask
from app.service.check import CheckResponse
from app.service.response import AnswerResponse, DocumentResponse
from app.service.search import SearchResponse
from retriever.types import RetrievalMode


class Backend(Protocol):
    """Answers, finds, gives documents and checks. Each method raises LoccitError with a sentence."""

    async def answer(self, ask: Ask) -> AnswerResponse:
        """The response to a question."""

    async def search(self, query: str, *, k: int, mode: RetrievalMode | None = None) -> SearchResponse:
        """The passages for a checked query. ``mode``: as it is set, unless given."""

    async def document(self, document_id: str) -> DocumentResponse:
        """A stored document; DocumentNotFoundError when there is none of this id."""

    async def check(self, asked: CheckRequest) -> CheckResponse:
        """What becomes of an answer's quotes and claims."""


OpenBackend = Callable[[], AbstractAsyncContextManager[Backend]]
"""Opens a backend for as long as tools are served."""
