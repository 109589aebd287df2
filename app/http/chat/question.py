"""From a conversation to the question that is answered, and the documents that it is answered from."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.answering.checked_input import GivenDocument, checked_documents, checked_question
from app.http.chat.attached_file import attached_document
from app.http.chat.fences import divided
from app.http.chat.wire import CHAT_SHAPE, ChatMessage, ChatRequest
from app.service.ask import Ask
from app.service.settings import Settings
from common.errors import InvalidRequestError
from common.wording import shown

_REFUSED: Mapping[str, tuple[str, Sequence[object]]] = {
    "tools": ("Loccit calls no tools", ([],)),
    "functions": ("Loccit calls no functions", ([],)),
    "n": ("a question has one answer", (1,)),
    "response_format": ("an answer is text", ({"type": "text"},)),
    "logprobs": ("there are none", (False,)),
    "top_logprobs": ("there are none", (0,)),
    "modalities": ("an answer is text", (["text"],)),
    "audio": ("an answer is text", ()),
    "web_search_options": ("Loccit searches its own index alone", ()),
}
"""Fields that ask for what there is not: why not, and the values that ask for nothing, beside null."""


def ask_of(request: ChatRequest, settings: Settings) -> Ask:
    """The question of the last user message, with the documents that come with it.

    Raises:
        InvalidRequestError: when there is no such message, when it is not acceptable, or when the request asks for
            what there is not.
    """
    _refuse_other_wishes(request.model_extra or {})
    question, given = _divided(_last_of_user(request.messages).content)
    documents = None
    if given:
        documents = checked_documents(
            given,
            max_documents=settings.max_documents,
            max_characters=settings.max_document_characters,
        )
    return Ask(checked_question(question), documents=documents)


def _refuse_other_wishes(fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        reason, neutral = _REFUSED.get(name, ("", (value,)))
        if value is not None and value not in neutral:
            raise InvalidRequestError(f"The field {name} is not supported: {reason}; leave it out.")


def _last_of_user(messages: Sequence[ChatMessage]) -> ChatMessage:
    for message in reversed(messages):
        if message.role == "user":
            return message
    raise InvalidRequestError("No message is of the role user; the last one that is holds the question.")


def _divided(content: object) -> tuple[str, list[GivenDocument]]:
    """The question in a message, and the documents: what is fenced, files, and text parts before the last one."""
    parts = _parts(content)
    asking = max((place for place, part in enumerate(parts) if isinstance(part, str)), default=None)
    question, documents = "", []
    for place, part in enumerate(parts):
        if isinstance(part, GivenDocument):
            documents.append(part)
        elif place == asking:
            question, fenced = divided(part)
            documents += map(GivenDocument, fenced)
        elif part.strip():
            documents.append(GivenDocument(part))
    return question, documents


def _parts(content: object) -> list[str | GivenDocument]:
    if isinstance(content, str):
        return [content]
    if isinstance(content, list):
        return [_part(part, number) for number, part in enumerate(content, start=1)]
    right = CHAT_SHAPE.parts["messages[].content"]
    raise InvalidRequestError(
        f"The content of the last user message is {shown(content)}, but it must be {right}."
    )


def _part(part: object, number: int) -> str | GivenDocument:
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(part, dict) and kind == "file":
        return attached_document(part)
    if isinstance(part, dict) and kind == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    wrong = shown(part if kind in (None, "text") else kind)
    raise InvalidRequestError(
        f"Part {number} of the last user message is {wrong}, but only parts of the type text, with a text, and of "
        "the type file are read."
    )
