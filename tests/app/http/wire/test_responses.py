"""What leaves the service: whatever was found, its JSON follows the description and reads back as it was."""

import json
import math
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from app.answering.trace_json.writing import document_as_json
from app.answering.types import (
    AbstainReason,
    Abstention,
    Alternative,
    Candidate,
    CandidateSource,
    Citation,
    CitedAnswer,
    Opinion,
    Quote,
    Trace,
)
from app.http.server import create_app
from app.http.wire.answer import INCLUDABLE
from app.http.wire.responses import BatchItem, BatchResponse, Live, Problem, Ready, Reloaded, Welcome
from app.service.ask import Ask
from app.service.index_description import IndexResponse
from app.service.response import Attribution, DocumentResponse, response_of
from app.service.search import searched
from app.service.settings import Settings
from retriever.retriever import IndexRetriever
from retriever.types import Document, Hit, Passage, RetrievalMode, Span
from tests.app.http.conftest import service_over

SCHEMAS = create_app(Settings.of()).openapi()["components"]
some = settings(max_examples=60, database=None, suppress_health_check=[HealthCheck.too_slow])

characters = st.sampled_from('ab .\r\n\0\x1b\u0301\u202e\ufeff\u2028é🗼👩\u200d🚀"\\<')
texts = st.text(characters | st.characters(exclude_categories=["Cs"]), max_size=40)
optional_texts = st.none() | texts
shares = st.floats(0, 1)
numbers = st.floats(allow_nan=False, allow_infinity=False)
documents = st.builds(
    Document,
    texts,
    texts,
    texts.filter(bool),
    optional_texts,
    st.dictionaries(texts, st.none() | st.booleans() | st.integers() | numbers | texts, max_size=3),
    source=optional_texts,
)


@st.composite
def spans(draw: st.DrawFn, document: Document) -> Span:
    start = draw(st.integers(0, len(document.text) - 1))
    return Span(start, draw(st.integers(start + 1, len(document.text))))


@st.composite
def passages(draw: st.DrawFn) -> tuple[Document, Passage]:
    document = draw(documents)
    span, row = draw(spans(document)), draw(st.integers(0, 2**63 - 1))
    passage = Passage(
        row,
        document.doc_id,
        document.title,
        span.of(document.text),
        span,
        document.text[span.end :],
        url=document.url,
        source=document.source,
    )
    return document, passage


@st.composite
def citations(draw: st.DrawFn) -> Citation:
    document = draw(documents)
    return Citation.of(
        Quote(document, draw(spans(document))), support=draw(shares), further=draw(st.booleans())
    )


@st.composite
def candidates(draw: st.DrawFn) -> Candidate:
    document, passage = draw(passages())
    pointers, counts = st.none() | spans(document), st.integers(0, 1_000)
    opinions = st.builds(Opinion, numbers, counts, shares, shares, pointers, shares)
    return Candidate(
        draw(texts),
        passage,
        draw(st.sampled_from(CandidateSource)),
        draw(numbers),
        draw(counts),
        draw(pointers),
        draw(counts),
        draw(st.none() | opinions),
        draw(st.none() | counts),
    )


cited = st.lists(citations(), max_size=2).map(tuple)
alternatives = st.builds(Alternative, texts, cited, shares)
decisions = st.builds(
    CitedAnswer,
    texts,
    texts,
    cited,
    shares,
    passages().map(lambda both: both[1]),
    st.lists(alternatives, max_size=2).map(tuple),
    st.none() | alternatives,
) | st.builds(Abstention, st.sampled_from(AbstainReason), shares, cited)
traces = st.builds(
    Trace,
    texts,
    st.lists(
        st.builds(Hit, passages().map(lambda both: both[1]), numbers, st.integers(1, 100)), max_size=2
    ).map(tuple),
    st.just(()),
    st.lists(candidates(), max_size=2).map(tuple),
    st.just(()),
    decisions,
    st.dictionaries(st.sampled_from(["wait", "read", "decide"]), st.floats(0, 1e6)),
)
attributions = st.from_type(Attribution)
corpora = st.lists(documents, min_size=1, max_size=3, unique_by=lambda document: document.doc_id)


@pytest.fixture(scope="module")
def service():
    return service_over()


def check(response: BaseModel, *, whole: bool = True) -> dict[str, Any]:
    """The JSON of it. ``whole``: with what was not set."""
    model = type(response)
    written = response.model_dump_json(exclude_unset=not whole)
    value = json.loads(written)
    schema = {"$ref": f"#/components/schemas/{model.__name__}", "components": SCHEMAS}
    jsonschema_rs.validator_for(schema).validate(value)
    assert model.model_validate_json(written) == response
    return value


@some
@given(trace=traces, include=st.sets(st.sampled_from(INCLUDABLE)), handed_in=st.booleans())
def test_the_response_to_any_trace_follows_its_schema_and_reads_back(service, trace, include, handed_in):
    ask = Ask("who?", documents=(Document("d", "", "t"),) if handed_in else None)
    response = response_of(trace, ask, service, include=include)
    value = check(response, whole=False)
    assert value == response.as_json()
    assert {name for name in INCLUDABLE if name in value} == include
    item = BatchItem(response=response)
    assert check(BatchResponse(items=[item]), whole=False) == {"items": [{"response": value}]}


@some
@given(document=documents, terms=st.lists(attributions, max_size=2))
def test_any_document_follows_its_schema_and_reads_back(document, terms):
    response = DocumentResponse(**document_as_json(document), attribution=terms)
    assert check(response)["text"] == document.text


@some
@given(
    documents=corpora,
    query=texts,
    mode=st.sampled_from(RetrievalMode),
)
def test_any_search_follows_its_schema_and_reads_back(documents, query, mode):
    service = service_over(tuple(documents))
    value = check(searched(IndexRetriever(service.index, service.encoder, mode=mode), query, k=3))
    texts_by_id = {document.doc_id: document.text for document in documents}
    for hit in value["hits"]:
        assert texts_by_id[hit["document_id"]][hit["start"] : hit["end"]] == hit["text"]


@pytest.mark.parametrize("model", [IndexResponse, Live, Ready, Reloaded, Welcome, Problem])
@some
@given(data=st.data())
def test_every_other_response_follows_its_schema_and_reads_back(model, data):
    response = data.draw(st.from_type(model))
    assume(all(map(math.isfinite, arguments_of(response))))  # JSON has no other numbers, and no engine either
    check(response)


def arguments_of(response: BaseModel) -> list[float]:
    """The numbers of a vector engine's arguments, where the response tells any."""
    arguments = response.vectors.arguments.values() if isinstance(response, IndexResponse) else ()
    return [argument for argument in arguments if isinstance(argument, float)]
