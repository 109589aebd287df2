"""What a service gives, as dataclasses: read from the service's own examples, and verified without a network."""

import dataclasses

import pytest
from loccit_client import (
    Alternative,
    Answer,
    Attribution,
    Calibration,
    Citation,
    Document,
    Hit,
    Index,
    Models,
    Problem,
    QuoteMismatchError,
    SearchResult,
    UnexpectedResponseError,
)
from loccit_client.decoding import decoded

from app.answering import trace_json
from app.http import examples
from app.http.wire import Problem as WireProblem
from app.service import response, search
from app.service.index_description import IndexResponse

ANSWER = decoded(Answer, examples.ANSWER)
DOCUMENT = decoded(Document, examples.DOCUMENT)


@pytest.mark.parametrize(
    ("kind", "served", "own"),
    [
        (Answer, response.AnswerResponse.model_fields, {"request_id"}),
        (Document, response.DocumentResponse.model_fields, set()),
        (Calibration, response.Calibration.model_fields, set()),
        (Models, response.Model.model_fields, set()),
        (Attribution, response.Attribution.model_fields, set()),
        (SearchResult, search.SearchResponse.model_fields, set()),
        (Index, IndexResponse.model_fields, set()),
        (Problem, WireProblem.model_fields, set()),
        (Citation, trace_json.Citation.__annotations__, set()),
        (Alternative, trace_json.Alternative.__annotations__, set()),
        (Hit, {**trace_json.PassagePlace.__annotations__, **trace_json.Hit.__annotations__}, set()),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_field_that_is_served_has_its_place(kind, served, own):
    assert {field.name for field in dataclasses.fields(kind)} == {*served} | own


@pytest.mark.parametrize(
    ("kind", "example"),
    [(Answer, examples.LONG_ANSWER), (SearchResult, examples.SEARCH), (Index, examples.INDEX)],
)
def test_the_services_examples_are_read_whole(kind, example):
    value = dataclasses.asdict(decoded(kind, example))
    listed = {name: list(each) if isinstance(each, tuple) else each for name, each in value.items()}
    for name in example.keys() - {"sources"}:
        if name not in {"hits", "citations", "nearest", "attribution"}:
            assert listed[name] == example[name]
    assert len(listed.get("citations", [])) == len(example.get("citations", []))


def test_a_quote_that_stands_in_its_document_is_verified():
    [citation] = ANSWER.citations
    citation.verify(DOCUMENT)


@pytest.mark.parametrize(
    ("changed", "document", "sentence"),
    [
        ({"start": 76}, {}, "At 76 to 183 of 'Eiffel_Tower' stands 't is named after"),
        ({"quote": "It is named"}, {}, "not the quote 'It is named'"),
        ({"start": -108}, {}, "At -108 to 183"),
        ({}, {"document_id": "other"}, "The quote is from the document 'Eiffel_Tower', not from 'other'"),
        ({}, {"text": DOCUMENT.text + " "}, "the document has changed since"),
    ],
)
def test_what_does_not_stand_there_is_told(changed, document, sentence):
    [citation] = ANSWER.citations
    with pytest.raises(QuoteMismatchError, match=sentence.replace("'", ".")):
        dataclasses.replace(citation, **changed).verify(dataclasses.replace(DOCUMENT, **document))


def test_fields_of_a_later_version_are_left_out():
    assert decoded(Answer, {**examples.ANSWER, "later": 1}) == ANSWER


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"confidence": "high"}, "Answer.confidence is 'high', but it must be of the type float"),
        ({"abstained": 0}, "Answer.abstained is 0, but it must be of the type bool"),
        ({"citations": {}}, r"Answer.citations is {}, but it must be a list"),
        ({"citations": [{}]}, r"Answer.citations\[0\].quote is 'nothing', but it must be there"),
        ({"model": []}, r"Answer.model is \[\], but it must be an object"),
        ({"confidence": True}, "Answer.confidence is True"),
    ],
)
def test_what_another_service_says_is_told_by_its_place(changes, sentence):
    with pytest.raises(UnexpectedResponseError, match=sentence):
        decoded(Answer, {**examples.ANSWER, **changes})
