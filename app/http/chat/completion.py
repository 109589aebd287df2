"""A chat completion: whole, or in chunks."""

import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from app.http.chat.errors import error_document
from app.http.chat.message import AddressOf, message_of
from app.http.chat.models import ChatModel
from app.http.chat.wire import NO_TOKENS, ChatCompletion
from app.http.event_stream import KEEP_ALIVE_S, STILL_THERE, Happening, kept_alive
from app.http.problems import problem_document
from app.http.telemetry.request_id import current_request_id
from app.service.response import AnswerResponse

DONE = "data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Telling:
    """How the answer to one request is told; its id holds the request's, so that the log can be searched for it."""

    model: ChatModel
    address_of: AddressOf
    id: str = field(default_factory=lambda: f"chatcmpl-{current_request_id() or uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))

    def whole(self, response: AnswerResponse) -> ChatCompletion:
        """The completion that tells this response."""
        message = message_of(response, self.model, self.address_of)
        return ChatCompletion(
            id=self.id,
            object="chat.completion",
            created=self.created,
            model=self.model,
            choices=[{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
            usage=NO_TOKENS,
            loccit=response,
        )

    async def chunks(
        self, happening: Happening, *, keep_alive_s: float = KEEP_ALIVE_S
    ) -> AsyncGenerator[str, None]:
        """The same in chunks: that somebody answers, the text at once when it is there, its annotations, the end.

        Raises:
            whatever ``happening`` raises before the first chunk; later it is told as an error.
        """
        begun = introduced = False  # a comment, which may come first, introduces nobody
        try:
            async with aclosing(kept_alive(happening, keep_alive_s)) as values:
                async for value in values:
                    if value is None:
                        yield STILL_THERE
                    elif not introduced:
                        yield self._chunk({"role": "assistant", "content": ""})
                        introduced = True
                    begun = True
                    if isinstance(value, AnswerResponse):
                        for frame in self._told(value):
                            yield frame
        except Exception as error:
            if not begun:
                raise
            yield _frame(error_document(problem_document(error)))
        yield DONE

    def _told(self, response: AnswerResponse) -> list[str]:
        message = message_of(response, self.model, self.address_of)
        deltas: list[dict[str, Any]] = [{"content": message["content"]}]
        if message["annotations"]:
            deltas.append({"annotations": message["annotations"]})
        end = self._chunk({}, finish_reason="stop", usage=NO_TOKENS, loccit=response.as_json())
        return [*map(self._chunk, deltas), end]

    def _chunk(self, delta: Any, finish_reason: str | None = None, **beside: Any) -> str:  # noqa: ANN401
        return _frame(
            {
                "id": self.id,
                "object": "chat.completion.chunk",
                "created": self.created,
                "model": self.model,
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}],
                **beside,
            }
        )


def _frame(data: Any) -> str:  # noqa: ANN401
    # in ASCII: some clients take U+2028 and its like for the end of a line
    return f"data: {json.dumps(data)}\n\n"
