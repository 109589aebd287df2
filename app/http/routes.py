"""The routes: where requests become calls of the host, and nothing else happens."""

from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from app.answering.checked_input import checked_question
from app.http import document_id
from app.http.batch import answered_in_turn
from app.http.described.openapi import described_events, problems
from app.http.disconnect import unless_disconnected
from app.http.event_stream import EventStream, frames_of
from app.http.host import Host
from app.http.page import INDEX, wants_page
from app.http.wire.answer import AnswerRequest, BatchRequest
from app.http.wire.check import CheckRequest
from app.http.wire.responses import BatchResponse, Live, Ready, Welcome
from app.http.wire.search import SearchRequest
from app.service.api_keys import ApiKey
from app.service.check import CheckResponse
from app.service.index_description import IndexResponse
from app.service.response import AnswerResponse, DocumentResponse
from app.service.search import SearchResponse
from retriever.filters import Filter

router = APIRouter()


def _host(request: Request) -> Host:
    host: Host = request.app.state.host
    return host


HostDependency = Annotated[Host, Depends(_host)]


async def _allowed(request: Request) -> Filter | None:
    """What the key of whoever asks is limited to; None: all documents, as where there are no keys."""
    if _host(request).settings.key_file is None:
        return None
    key: ApiKey = request.state.key
    return key.allowed


AllowedDependency = Annotated[Filter | None, Depends(_allowed)]
"""The filter that no request gets around: a route that tells of documents hands it on."""


@router.post(
    "/answer",
    tags=["answering"],
    summary="Answer a question",
    response_model_exclude_unset=True,
    response_description="An answer with its quotes, or an abstention with its reason.",
    responses=problems(400, 413, 415, 422, 500, 502, 503, 504),
)
async def answer(
    asked: AnswerRequest, request: Request, host: HostDependency, allowed: AllowedDependency
) -> AnswerResponse:
    """Answers from the index, or from the documents handed in, and quotes what supports the answer.

    For every citation, `document.text[start:end] == quote`, counted in Unicode code points. Of a document handed in as
    Markdown or HTML, `documents` has that text. Below
    `min_confidence` there is no answer: `abstained` is true, `abstain_reason` says why, and `nearest` holds
    the closest quotes. That is a proper response, with status 200.

    `kind` is what the question was taken to ask for. Where that is more than a few words, or with `length` long, the
    answer is sentences, steps or rows of the passage as they stand in it, each with its own citation; after "Yes." or
    "No." where that was asked. `confidence` is about `short_answer`.

    `conflict` is the surest answer of another document that says something else, unless it is far less sure.
    `attribution` has the terms of the sources of all that the response shows.
    """
    ask = asked.ask_with(host.settings, allowed)
    return await unless_disconnected(request, host.answer(ask, include=asked.include))


@router.post(
    "/answer/stream",
    tags=["answering"],
    summary="Answer a question, told as it happens",
    status_code=200,
    response_class=EventStream,
    response_description="Server-sent events.",
    responses={**described_events(), **problems(400, 413, 415, 422, 500, 503)},
)
async def answer_stream(
    asked: AnswerRequest, host: HostDependency, allowed: AllowedDependency
) -> EventStream:
    """Takes what `POST /answer` takes and sends an event when each stage is done: `retrieved`, `read`, `generated`,
    `located`, `supported` and, for a long answer, `composed`. The last event is `response`, whose data is what
    `POST /answer` returns, or `error`, whose data is a problem. Comments in between say that the service is still
    at work. The work stops when the client closes the connection. Once the stream has begun, what goes wrong is told
    as an event, too many waiting questions and the time allowed included.
    """
    return EventStream(frames_of(host.told(asked.ask_with(host.settings, allowed), include=asked.include)))


@router.post(
    "/answers",
    tags=["answering"],
    summary="Answer several questions",
    response_model_exclude_unset=True,
    response_description="For each question, in their order, its response or its problem.",
    responses=problems(400, 413, 415, 422, 500, 503),
)
async def answers(
    asked: BatchRequest, request: Request, host: HostDependency, allowed: AllowedDependency
) -> BatchResponse:
    """Answers each question from the index as `POST /answer` does. What goes wrong with one is told in its place and
    leaves the others as they are.

    A question gets its place in the queue when the one before it is done, so that those of other clients come in
    between. Where the queue is full, it waits for a place there. The time allowed holds for each question, waiting
    included. So the whole may take as many times that as there are questions: wait as long, or send fewer. The work
    stops when the client closes the connection.
    """
    host.readiness()
    answering = answered_in_turn(asked.checked(host.settings), host, allowed=allowed)
    return await unless_disconnected(request, answering)


@router.post(
    "/check",
    tags=["checking"],
    summary="Check the quotes and claims of an answer",
    response_description="A verdict for every quote, and how well every claim is backed.",
    responses=problems(400, 413, 415, 422, 500, 503, 504),
)
async def check(
    asked: CheckRequest, request: Request, host: HostDependency, allowed: AllowedDependency
) -> CheckResponse:
    """Checks an answer that any system made, against the index or against the documents handed in.

    A quote is `verbatim` (`folds` says what differs all the same, such as the style of quotation marks), `nearly` so,
    `from_another_document` than the one cited, `fabricated`, or `too_short` to tell. `found` holds the real text, or
    the one that comes nearest: `document.text[start:end] == text`.

    Every sentence with a mark or a quote is a claim. `support` says how well its quote, or the cited passage that says
    most of it, backs it; `scorer` says who judged that, and how often that is right.

    A check takes its turn among the questions, but passes one that waits for a language model's server. It
    looks at the whole index, so a key that may see some documents alone checks what is handed in.
    """
    return await unless_disconnected(request, host.check(asked.asked_with(host.settings), allowed=allowed))


@router.get(
    "/search",
    tags=["documents"],
    summary="Find passages",
    response_description="Passages, best first.",
    responses=problems(422, 500, 503, 504),
)
async def search(
    asked: Annotated[SearchRequest, Query()],
    request: Request,
    host: HostDependency,
    allowed: AllowedDependency,
) -> SearchResponse:
    """The passages that an answer would be looked for in, with their scores and places. No language model is asked.

    A search takes its turn among the questions, but passes one that waits for a language model's server.
    """
    query = checked_question(asked.q)
    only = Filter.parse(asked.filter) if asked.filter else None
    searching = host.search(query, k=asked.k, mode=asked.mode, asked=only, allowed=allowed)
    return await unless_disconnected(request, searching)


@router.get(
    "/indexes/current",
    tags=["documents"],
    summary="The index that answers",
    responses=problems(500, 503),
)
def current_index(host: HostDependency, allowed: AllowedDependency) -> IndexResponse:
    """How the index was made, and from what: its sources with their terms, and the fields that filters may name."""
    return host.index(allowed=allowed)


@router.get(
    f"/documents/{{document_id:{document_id.NAME}}}",
    tags=["documents"],
    summary="A stored document",
    responses=problems(404, 500, 503),
)
def document(document_id: str, host: HostDependency, allowed: AllowedDependency) -> DocumentResponse:
    """The document whole, so that a citation's offsets can be checked. An id may hold any characters:
    percent-encode all of it, the slashes too.
    """
    return host.document(document_id, allowed=allowed)


@router.get("/health/live", tags=["health"], summary="Is the process there?")
async def live() -> Live:
    """Always 200, also while the models are loading or an answer is under way."""
    return Live(status="live")


@router.get(
    "/health/ready",
    tags=["health"],
    summary="Can questions be answered?",
    responses=problems(503),
)
async def ready(host: HostDependency) -> Ready:
    """200 once the models have answered a question, 503 until then. Where the language model is behind a server of its
    own, 503 also while that cannot be reached or wants another key: the sentence says which.
    """
    return await host.readiness_now()


@router.get(
    "/",
    tags=["health"],
    summary="What this is",
    response_model=Welcome,
    responses={200: {"content": {"text/html": {}}}},
)
async def welcome(request: Request) -> Response:
    """The service's name and where its description is; for a browser, the page to ask on."""
    varying = {"Vary": "Accept"}
    if wants_page(request.headers.get("accept", "")):
        return FileResponse(INDEX, headers={**varying, "Cache-Control": "no-cache"})
    said = Welcome(name="Loccit", version=version("loccit"), answer="POST /answer", openapi="/openapi.json")
    return JSONResponse(said.model_dump(), headers=varying)
