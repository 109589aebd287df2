"""The server of the Model Context Protocol: its tools and its resource."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context, MCPServer, ResourceSecurity
from mcp.server.mcpserver.exceptions import (
    ResourceError,
    ResourceNotFoundError,
    ToolError,
    UnexpectedToolError,
)
from mcp.types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import Field, ValidationError

from app.answering.checked_input import checked_question
from app.answering.options import AnswerLength
from app.http.invalid_request import sentence_for
from app.http.wire.check import (
    CHECK_SHAPE,
    MAX_ANSWER_CHARACTERS,
    MAX_CHECKED,
    CheckRequest,
    ClaimOfAnswer,
    QuoteOfAnswer,
)
from app.http.wire.shape import ID, QUESTION, Shape
from app.mcp.backend import Backend
from app.mcp.shaping import answered_of, checked_of, found_of, text_of
from app.mcp.wire import Answered, Checked, DocumentText, Found
from app.service.ask import Ask
from common.errors import DocumentNotFoundError, InvalidRequestError, LoccitError

MAX_CHARACTERS = 100_000
SHOWN_CHARACTERS = 20_000
_MOST_PASSAGES = 50

_INSTRUCTIONS = """Loccit answers questions from its owner's documents and quotes them word for word.
Repeat quotes exactly as they are given, and say which document they stand in. When an answer is abstained, say that the
documents do not answer the question; do not answer from the nearest quotes as if they did. Where other_answer is given,
tell both answers. Before you show a quote of your own, check it with check_quotes."""

TAKEN: Mapping[str, Mapping[str, str]] = {
    "answer": {
        "question": QUESTION,
        "length": "auto, short or long",
        "min_confidence": "a number from 0 to 1",
    },
    "search": {"query": QUESTION, "k": f"a whole number from 1 to {_MOST_PASSAGES}"},
    "get_document": {
        "document_id": ID,
        "start": "a whole number from 0 on",
        "characters": f"a whole number from 1 to {MAX_CHARACTERS:,}",
    },
    "check_quotes": {
        path: right
        for path, right in CHECK_SHAPE.parts.items()
        if path.partition("[")[0].partition(".")[0] in ("quotes", "answer", "claims")
    },
}
"""What the arguments of each tool must be, in words, by their paths."""

_READS_ONLY = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)


def tools_over(backend: Backend) -> MCPServer:
    """A server whose tools ask this backend."""
    server = _Server(
        "loccit", title="Loccit", instructions=_INSTRUCTIONS, version=version("loccit"), log_level="WARNING"
    )
    for offer in (_offer_answer, _offer_search, _offer_document, _offer_check, _offer_resource):
        offer(server, backend)
    return server


class _Server(MCPServer):
    """Says in one sentence what is wrong with a tool's arguments."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError) and not isinstance(error, UnexpectedToolError):
                shape = Shape("arguments", "an object", "argument", TAKEN[name])
                raise ToolError(sentence_for(error.__cause__.errors(), shape)) from error
            raise


def _offer_answer(server: MCPServer, backend: Backend) -> None:
    @server.tool(title="Answer a question from the documents", annotations=_READS_ONLY)
    async def answer(
        question: Annotated[str, Field(description="One question in plain English, 1 to 2,000 characters.")],
        length: Annotated[
            Literal["auto", "short", "long"] | None,
            Field(
                description="auto: what the question asks for, a few words, yes or no, a list or sentences. short: a "
                "few words. long: the sentences that back the answer, and those around them that belong to it: up to "
                "ten where the reader says what is evidence, else up to two. The owner's setting unless given."
            ),
        ] = None,
        min_confidence: Annotated[
            float | None, Field(ge=0, le=1, description="Abstain below it; the owner's setting unless given.")
        ] = None,
    ) -> Answered:
        """Answer a question from the indexed documents, with the verbatim quotes that back the answer.

        It takes about a second. It abstains when the documents do not say it surely enough.
        """
        with _sentences():
            asked = Ask(
                checked_question(question),
                min_confidence=min_confidence,
                length=None if length is None else AnswerLength(length),
            )
            return answered_of(await backend.answer(asked))


def _offer_search(server: MCPServer, backend: Backend) -> None:
    @server.tool(title="Find passages in the documents", annotations=_READS_ONLY)
    async def search(
        query: Annotated[str, Field(description="Words or a question, 1 to 2,000 characters.")],
        k: Annotated[int, Field(ge=1, le=_MOST_PASSAGES, description="How many passages at most.")] = 5,
    ) -> Found:
        """Find the passages of the indexed documents that are nearest to a query, best first.

        For reading around a subject; to have a question answered, use answer.
        """
        with _sentences():
            return found_of(await backend.search(checked_question(query), k=k))


def _offer_document(server: MCPServer, backend: Backend) -> None:
    @server.tool(title="Read a document", annotations=_READS_ONLY)
    async def get_document(
        document_id: Annotated[str, Field(description="As quotes and passages name it.")],
        start: Annotated[int, Field(ge=0, description="From which character on.")] = 0,
        characters: Annotated[
            int, Field(ge=1, le=MAX_CHARACTERS, description="How many characters at most.")
        ] = SHOWN_CHARACTERS,
    ) -> DocumentText:
        """Read the stored text of a document, or a part of it, to see a quote in its context."""
        with _sentences():
            return text_of(await backend.document(document_id), start=start, characters=characters)


def _offer_check(server: MCPServer, backend: Backend) -> None:
    @server.tool(title="Check quotes against the documents", annotations=_READS_ONLY)
    async def check_quotes(
        quotes: Annotated[
            Sequence[QuoteOfAnswer],
            Field(max_length=MAX_CHECKED, description="Each with the document that it is said to stand in."),
        ] = (),
        answer: Annotated[
            str,
            Field(
                max_length=MAX_ANSWER_CHARACTERS,
                description="A whole answer, plain or Markdown: its quotes and its marks, such as [1], are found. "
                "Lines such as `[1]: id` at its end say which documents the marks cite.",
            ),
        ] = "",
        claims: Annotated[
            Sequence[ClaimOfAnswer],
            Field(max_length=MAX_CHECKED, description="Each with the quotes or documents that back it."),
        ] = (),
    ) -> Checked:
        """Check whether quotes stand word for word in the indexed documents, and how well claims are backed.

        Use it on every quote that you are about to show and did not get from answer. Give quotes, claims or an answer.
        """
        with _sentences():
            if not (quotes or claims or answer.strip()):
                raise InvalidRequestError("There is nothing to check; give quotes, claims or an answer.")
            asked = CheckRequest(
                answer=answer, question="", quotes=list(quotes), claims=list(claims), documents=None
            )
            return checked_of(await backend.check(asked))


def _offer_resource(server: MCPServer, backend: Backend) -> None:
    @server.resource(
        "loccit://documents/{document_id}",
        title="A document",
        description="The whole stored text of a document. Percent-encode its id.",
        mime_type="text/plain",
        security=ResourceSecurity(
            exempt_params={"document_id"}
        ),  # an id names no file, whatever it looks like
    )
    async def document(document_id: str) -> str:
        try:
            return (await backend.document(document_id)).text
        except DocumentNotFoundError as error:
            raise ResourceNotFoundError(str(error)) from error
        except LoccitError as error:
            raise ResourceError(str(error)) from error


@contextmanager
def _sentences() -> Iterator[None]:
    """What went wrong is told to the model in its own sentence."""
    try:
        yield
    except LoccitError as error:
        raise ToolError(str(error)) from error
