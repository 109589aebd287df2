"""The calls that a service takes, as data: what is sent, and what its answer is read as."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from loccit_client.checking import Check, GivenClaim, GivenQuote
from loccit_client.decoding import decoded
from loccit_client.filters import Filter, filter_parameters
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


def search_call(query: str, *, k: int | None, mode: Mode | None, only: Filter | None) -> Call[SearchResult]:
    """``GET /search``."""
    given = {"q": query, "k": k, "mode": mode, "filter": None if only is None else filter_parameters(only)}
    params = {name: value for name, value in given.items() if value is not None}
    return Call("GET", "/search", lambda data, _: decoded(SearchResult, data), params=params)


def check_call(
    answer: str,
    *,
    question: str,
    quotes: Sequence[GivenQuote],
    claims: Sequence[GivenClaim],
    documents: Sequence[GivenDocument] | None,
    sources: Mapping[str, str],
) -> Call[Check]:
    """``POST /check``.

    Raises:
        ValueError: when a document is not plain text: it is checked as it stands.
    """
    if any(document.format != "text" for document in documents or ()):
        raise ValueError(
            "Texts are checked as they stand; hand in what a reader sees, without a format, or index the documents."
        )
    body = {
        "answer": answer,
        "question": question,
        "quotes": _json(quotes),
        "claims": _json(claims),
        "documents": None if documents is None else [_as_it_stands(document) for document in documents],
        "sources": [{"mark": mark, "document_id": document_id} for mark, document_id in sources.items()],
    }
    return Call("POST", "/check", check_in, body=body)


def document_call(document_id: str) -> Call[Document]:
    """``GET /documents/{document_id}``."""
    path = f"/documents/{quote(document_id, safe='', errors='surrogatepass')}"
    return Call("GET", path, lambda data, _: decoded(Document, data))


def index_call() -> Call[Index]:
    """``GET /indexes/current``."""
    return Call("GET", "/indexes/current", lambda data, _: decoded(Index, data))


def answer_in(data: Json, request_id: str | None) -> Answer:
    """The answer that this JSON describes."""
    return replace(decoded(Answer, data), request_id=request_id)


def check_in(data: Json, request_id: str | None) -> Check:
    """The check that this JSON describes."""
    return replace(decoded(Check, data), request_id=request_id)


def _answer_body(asked: Question, documents: Sequence[GivenDocument] | None) -> Json:
    if documents is None:
        return _given(asked)
    return {**_given(asked), "documents": _json(documents)}


def _given(described: Any) -> Json:  # noqa: ANN401 - any of our dataclasses
    values = {field.name: getattr(described, field.name) for field in fields(described)}
    return {name: _json(value) for name, value in values.items() if value not in (None, ())}


def _as_it_stands(document: GivenDocument) -> Json:
    return {name: value for name, value in _given(document).items() if name != "format"}


def _json(value: Any) -> Any:  # noqa: ANN401
    """The value as JSON has it; in dataclasses what was not given is left out."""
    if is_dataclass(value):
        return _given(value)
    if isinstance(value, Mapping):
        return {name: _json(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_json(each) for each in value]
    return value


def _items(data: Json, _: str | None) -> list[Answer | Problem]:
    items = decoded(_Batch, data).items
    return [
        decoded(Problem, item["problem"]) if "problem" in item else answer_in(item.get("response", {}), None)
        for item in items
    ]


@dataclass(frozen=True, slots=True)
class _Batch:
    items: tuple[Mapping[str, Any], ...]
