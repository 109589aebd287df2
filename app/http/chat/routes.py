"""The routes that chat programs and OpenAI's clients call."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.answering.trace_json.shapes import Citation
from app.http.chat.completion import Telling
from app.http.chat.described import described_chunks
from app.http.chat.markdown import is_web_address
from app.http.chat.message import AddressOf
from app.http.chat.models import ChatModel, chat_model
from app.http.chat.question import ask_of
from app.http.chat.wire import ChatCompletion, ChatRequest, ModelCard, ModelList
from app.http.described.openapi import problems
from app.http.disconnect import unless_disconnected
from app.http.event_stream import EventStream
from app.http.routes import AllowedDependency, HostDependency

chat_router = APIRouter(prefix="/v1", tags=["chat"])


@chat_router.post(
    "/chat/completions",
    summary="Answer the last message of a chat",
    response_model=ChatCompletion,
    response_model_exclude_unset=True,
    response_description="A chat completion, or its chunks when `stream` is true.",
    responses={**described_chunks(), **problems(413, 415, 422, 404, 500, 502, 503, 504)},
)
async def chat_completions(
    asked: ChatRequest, request: Request, host: HostDependency, allowed: AllowedDependency
) -> ChatCompletion | Response:
    """OpenAI's protocol, for chat programs and clients that speak it. The last user message is the question. It is
    answered from the index, or from the documents in it; earlier messages are not read.

    Each citation is an annotation of the message, a `url_citation` with the quote, its document and its offsets under
    `loccit`. The completion's own `loccit` is what `POST /answer` returns. An abstention is a message, too: it has
    no annotations, and `loccit.abstained` is true.

    In a stream the text comes in one chunk once it is decided, then the annotations; the last chunk, with the
    `finish_reason`, carries `loccit`. `data: [DONE]` ends it.
    """
    model, ask = chat_model(asked.model), replace(ask_of(asked, host.settings), allowed=allowed)
    telling = Telling(model, _addresses(request, handed_in=ask.documents is not None))
    if not asked.stream:
        return telling.whole(await unless_disconnected(request, host.answer(ask)))
    frames = telling.chunks(host.told(ask))
    # what is refused is refused with its status: it is known before the first chunk
    first = await unless_disconnected(request, anext(frames))
    return EventStream(_after(first, frames))


@chat_router.get("/models", summary="The models of the chat routes", responses=problems(500))
async def models() -> ModelList:
    """One service, told in two ways: `loccit` with its sources in the text, `loccit-plain` without."""
    return ModelList(
        object="list",
        data=[_card(model) for model in ChatModel],
    )


@chat_router.get("/models/{model:path}", summary="One model of the chat routes", responses=problems(404, 500))
async def model(model: str) -> ModelCard:
    """The model of this name, as the list has it."""
    return _card(chat_model(model))


def _card(model: ChatModel) -> ModelCard:
    return {"id": model, "object": "model", "created": 0, "owned_by": "loccit"}


def _addresses(request: Request, *, handed_in: bool) -> AddressOf:
    base = str(request.base_url)

    def address_of(citation: Citation) -> str:
        if citation["url"] is not None and is_web_address(citation["url"]):
            return citation["url"]
        name = quote(citation["document_id"], safe="")
        return f"urn:loccit:document:{name}" if handed_in else f"{base}documents/{name}"

    return address_of


async def _after(first: str, frames: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    async with aclosing(frames):
        yield first
        async for frame in frames:
            yield frame
