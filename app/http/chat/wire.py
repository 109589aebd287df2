"""The wire of OpenAI's chat completions, as far as Loccit speaks it, and what Loccit adds under ``loccit``."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from app.answering.trace_json import shapes
from app.http.chat.models import ChatModel
from app.http.wire.shape import Shape
from app.service.response import AnswerResponse

CHAT_SHAPE = Shape(
    "body",
    'a JSON object such as {"model": "loccit", "messages": [{"role": "user", "content": "who designed the eiffel '
    'tower"}]}',
    "field",
    {
        "model": f"a text, {' or '.join(ChatModel)}",
        "messages": "a list of messages, at least one",
        "messages[]": "an object with a role and a content",
        "messages[].role": "a text such as user",
        "messages[].content": "a text, or a list of text and file parts",
        "stream": "true or false",
    },
)


class ChatMessage(BaseModel):
    """One message of a conversation."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    role: str = Field(description="Only messages of the role user are read.")
    content: Any = Field(
        None,
        description="Of the last user message: the question as a text, or a list of parts. A fenced block in it, a "
        "file part, and every text part but the last is a document to answer from, in place of the index.",
    )


class ChatRequest(BaseModel):
    """A conversation whose last user message is the question.

    `tools`, `functions`, `n` above 1, `response_format` other than text, `logprobs`, `modalities` other than text,
    `audio` and `web_search_options` are refused: they ask for what there is not. Every other field of OpenAI's
    (`temperature`, `max_tokens`, `user`, ...) is accepted and not used.
    """

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)

    model: str = Field(
        description="loccit: the answer with numbered marks and its quotes below it, in Markdown. loccit-plain: the "
        "answer alone."
    )
    # the first wrong message ends the check: an error for each of a million would hold everybody up
    messages: Annotated[list[ChatMessage], Field(fail_fast=True, min_length=1)] = Field(
        description="The last user message is the question. The others are not read."
    )
    stream: bool | None = Field(None, description="Send chunks as server-sent events.")


class CitedQuote(shapes.Citation):
    """A citation with the confidence of the answer that it backs."""

    confidence: Annotated[float, Field(ge=0, le=1)]


class UrlCitation(TypedDict):
    """Which characters of the message a source backs."""

    start_index: Annotated[int, Field(description="Of the message's content, in Unicode code points.")]
    end_index: Annotated[int, Field(description="They end before it.")]
    title: str
    url: Annotated[
        str,
        Field(
            description="The document's own, or where this service has its text, or a name (urn:loccit:document:...) "
            "where it was handed in."
        ),
    ]


class Annotation(TypedDict):
    """A citation as chat clients know it, with the quote itself under `loccit`."""

    type: Literal["url_citation"]
    url_citation: UrlCitation
    loccit: CitedQuote


class AssistantMessage(TypedDict):
    """The answer, or why there is none."""

    role: Literal["assistant"]
    content: str
    refusal: None
    annotations: Annotated[list[Annotation], Field(description="Empty when abstained.")]


class ChatChoice(TypedDict):
    """The one answer."""

    index: Literal[0]
    message: AssistantMessage
    finish_reason: Literal["stop"]
    logprobs: None


class Usage(TypedDict):
    """Zeros: nothing here is counted in tokens, but clients look for it."""

    prompt_tokens: Literal[0]
    completion_tokens: Literal[0]
    total_tokens: Literal[0]


NO_TOKENS: Usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


class ChatCompletion(BaseModel):
    """A chat completion."""

    id: str
    object: Literal["chat.completion"]
    created: int = Field(description="Seconds since 1970.")
    model: ChatModel
    choices: list[ChatChoice]
    usage: Usage
    loccit: AnswerResponse = Field(description="What POST /answer returns for the question.")


class ModelCard(TypedDict):
    """A model that may be asked for."""

    id: ChatModel
    object: Literal["model"]
    created: int
    owned_by: Literal["loccit"]


class ModelList(BaseModel):
    """The models that may be asked for."""

    object: Literal["list"]
    data: list[ModelCard]


class ErrorDetail(BaseModel):
    """What went wrong."""

    message: str = Field(description="One sentence: what was wrong, the value, what would be right.")
    type: Literal["invalid_request_error", "rate_limit_error", "server_error"]
    param: None
    code: str = Field(description="A name for the kind of error.")


class OpenAIError(BaseModel):
    """An error as OpenAI's clients read it."""

    error: ErrorDetail
