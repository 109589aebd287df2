"""The calls that a service takes, as data: what is sent, and what its answer is read as."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from loccit_client.decoding import decoded
from loccit_client.models import Answer, Document, GivenDocument, Index, Mode, Problem, Question, SearchResult

Result = TypeVar("Result")
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call(Generic[Result]):
    """One request. ``read``: the result from the response's JSON and the request's id. ``questions``: in it."""

    method: str
    path: str
    read: Callable[[Json, str | None], Result]
    body: Json | None = None
    params: Json | None = None
    questions: int = 1


def answer_call(asked: Question, documents: Sequence[GivenDocument] | None) -> Call[Answer]:
    """``POST /answer``."""
    return Call("POST", "/answer", answer_in, body=_answer_body(asked, documents))


def stream_call(asked: Question, documents: Sequence[GivenDocument] | None) -> Call[Answer]:
    """``POST /answer/stream``; its last event is read."""
    return replace(answer_call(asked, documents), path="/answer/stream")


def answers_call(questions: Sequence[str | Question]) -> Call[list[Answer | Problem]]:
    """``POST /answers``."""
    asked = [Question(each) if isinstance(each, str) else each for each in questions]
    body = {"questions": [_given(each) for each in asked]}
    return Call("POST", "/answers", _items, body=body, questions=max(1, len(asked)))


def search_call(query: str, *, k: int | None, mode: Mode | None) -> Call[SearchResult]:
    """``GET /search``."""
    params = {name: value for name, value in (("q", query), ("k", k), ("mode", mode)) if value is not None}
    return Call("GET", "/search", lambda data, _: decoded(SearchResult, data), params=params)


def document_call(document_id: str) -> Call[Document]:
    """``GET /documents/{document_id}``."""
    path = f"/documents/{quote(document_id, safe='')}"
    return Call("GET", path, lambda data, _: decoded(Document, data))


def index_call() -> Call[Index]:
    """``GET /indexes/current``."""
    return Call("GET", "/indexes/current", lambda data, _: decoded(Index, data))


def answer_in(data: Json, request_id: str | None) -> Answer:
    """The answer that this JSON describes."""
    return replace(decoded(Answer, data), request_id=request_id)


def _answer_body(asked: Question, documents: Sequence[GivenDocument] | None) -> Json:
    if documents is None:
        return _given(asked)
    return {**_given(asked), "documents": [_given(document) for document in documents]}


def _given(described: Question | GivenDocument) -> Json:
    return {name: value for name, value in asdict(described).items() if value not in (None, ())}


def _items(data: Json, _: str | None) -> list[Answer | Problem]:
    items = decoded(_Batch, data).items
    return [
        decoded(Problem, item["problem"]) if "problem" in item else answer_in(item.get("response", {}), None)
        for item in items
    ]


@dataclass(frozen=True, slots=True)
class _Batch:
    items: tuple[Mapping[str, Any], ...]
