"""What a service gives, as dataclasses: read from the service's own examples, and verified without a network."""

import dataclasses

import pytest
from loccit_client import (
    Alternative,
    Answer,
    AnswerPlace,
    Attribution,
    Calibration,
    Check,
    CheckedClaim,
    CheckedQuote,
    Citation,
    Document,
    GivenClaim,
    GivenDocument,
    GivenQuote,
    Hit,
    Index,
    Measured,
    Models,
    Problem,
    Question,
    QuoteMismatchError,
    ReadDocument,
    RealSpan,
    RealText,
    Scorer,
    Searched,
    SearchResult,
    SeenElsewhere,
    UnexpectedResponseError,
    UnresolvedMark,
)
from loccit_client.decoding import decoded

from app.answering.trace_json import shapes
from app.http.described import examples
from app.http.wire import responses
from app.http.wire.answer import DocumentToRead, QuestionToAnswer
from app.http.wire.check import ClaimOfAnswer, QuoteOfAnswer
from app.service import check, response, search
from app.service.index_description import IndexResponse

ANSWER = decoded(Answer, examples.ANSWER)
DOCUMENT = decoded(Document, examples.DOCUMENT)
MEASURED = {"accuracy": 0.9, "auroc": None, "claims": 12}


@pytest.mark.parametrize(
    ("kind", "served", "own"),
    [
        (Answer, response.AnswerResponse.model_fields, {"request_id"}),
        (Document, response.DocumentResponse.model_fields, set()),
        (Calibration, response.AnswerCalibration.model_fields, set()),
        (SeenElsewhere, response.SeenElsewhere.model_fields, set()),
        (Models, response.Model.model_fields, set()),
        (Attribution, response.Attribution.model_fields, set()),
        (SearchResult, search.SearchResponse.model_fields, set()),
        (Index, IndexResponse.model_fields, set()),
        (ReadDocument, response.ReadDocument.model_fields, set()),
        (Check, check.CheckResponse.model_fields, {"request_id"}),
        (CheckedQuote, check.CheckedQuote.model_fields, set()),
        (CheckedClaim, check.CheckedClaimResponse.model_fields, set()),
        (AnswerPlace, check.AnswerPlace.model_fields, set()),
        (RealText, check.RealText.model_fields, set()),
        (RealSpan, check.RealSpan.model_fields, set()),
        (UnresolvedMark, check.UnresolvedMarkResponse.model_fields, set()),
        (Searched, check.Searched.model_fields, set()),
        (Scorer, check.Scorer.model_fields, set()),
        (Measured, check.Measured.model_fields, set()),
        (Problem, responses.Problem.model_fields, set()),
        (Citation, shapes.Citation.__annotations__, set()),
        (Alternative, shapes.Alternative.__annotations__, set()),
        (Hit, {**shapes.PassagePlace.__annotations__, **shapes.Hit.__annotations__}, set()),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_field_that_is_served_has_its_place(kind, served, own):
    assert {field.name for field in dataclasses.fields(kind)} == {*served} | own


@pytest.mark.parametrize(
    ("kind", "taken"),
    [
        (Question, QuestionToAnswer),
        (GivenDocument, DocumentToRead),
        (GivenQuote, QuoteOfAnswer),
        (GivenClaim, ClaimOfAnswer),
    ],
    ids=lambda value: value.__name__,
)
def test_every_field_that_is_taken_can_be_given(kind, taken):
    assert {field.name for field in dataclasses.fields(kind)} == {*taken.model_fields}


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


def test_a_check_is_read_to_its_innermost_parts():
    told = decoded(
        Check, {**examples.CHECK, "scorer": {**examples.CHECK["scorer"], "by_kind": {"true": MEASURED}}}
    )
    first, second = told.quotes
    assert first.place == AnswerPlace(start=14, end=53, line=1, column=15, end_line=1, end_column=54)
    assert (second.verdict, second.likeness, second.marks) == ("fabricated", 0.4, ("[1]",))
    assert second.found.spans == (RealSpan(75, 113, "It is named after the engineer Gustave"),)
    assert (told.verdicts["verbatim"], told.searched) == (1, Searched(10_033, True, False))
    assert [(claim.quotes, claim.supported) for claim in told.claims] == [((1,), True), ((2,), False)]
    assert told.scorer.by_kind == {"true": Measured(0.9, None, 12)}
    assert told.timings_ms == examples.CHECK["timings_ms"]


def test_a_quote_from_a_document_that_was_handed_in_as_markdown_is_verified_against_what_was_read():
    [citation] = ANSWER.citations
    read = {name: examples.DOCUMENT[name] for name in ("document_id", "title", "text", "sha256")}
    [document] = decoded(Answer, {**examples.ANSWER, "documents": [read]}).documents
    citation.verify(document)
    with pytest.raises(QuoteMismatchError, match="has changed since"):
        citation.verify(dataclasses.replace(document, text=document.text[1:]))


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
        ({"timings_ms": []}, r"Answer.timings_ms is \[\], but it must be an object"),
        (
            {"timings_ms": {"read": "1"}},
            r"Answer.timings_ms\['read'\] is '1', but it must be of the type float",
        ),
        ({"model": []}, r"Answer.model is \[\], but it must be an object"),
        ({"confidence": True}, "Answer.confidence is True"),
    ],
)
def test_what_another_service_says_is_told_by_its_place(changes, sentence):
    with pytest.raises(UnexpectedResponseError, match=sentence):
        decoded(Answer, {**examples.ANSWER, **changes})
