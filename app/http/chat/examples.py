"""Examples of the chat routes for OpenAPI, made of the answer that the other examples show."""

from typing import Any

from app.http.chat.completion import Telling
from app.http.chat.errors import error_document
from app.http.chat.models import ChatModel
from app.http.described.examples import ANSWER, PROBLEMS, REQUEST
from app.service.response import AnswerResponse

Json = dict[str, Any]

CHAT_REQUEST: Json = {
    "model": ChatModel.WITH_SOURCES.value,
    "messages": [{"role": "user", "content": REQUEST["question"]}],
}

COMPLETION: Json = (
    Telling(
        ChatModel.WITH_SOURCES,
        lambda citation: citation["url"] or "",
        id="chatcmpl-4f7c2b0e9d3a48e6b1c5a7d902e8f631",
        created=1_790_000_000,
    )
    .whole(AnswerResponse.model_validate(ANSWER))
    .model_dump(mode="json", exclude_unset=True)
)

CHUNKS = (
    'data: {"id": "chatcmpl-4f7c...", "object": "chat.completion.chunk", "created": 1790000000, "model": "loccit", '
    '"choices": [{"index": 0, "delta": {"content": "Gustave Eiffel [1]..."}, "finish_reason": null, "logprobs": null}]}'
    "\n\ndata: [DONE]\n\n"
)

ERRORS: dict[int, Json] = {status: error_document(problem) for status, problem in PROBLEMS.items()}
