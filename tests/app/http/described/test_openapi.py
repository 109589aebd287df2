"""The service's description of itself: whole, with examples that hold."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from app.answering.checked_input import checked_question
from app.http.chat.examples import CHAT_REQUEST, COMPLETION
from app.http.chat.wire import CHAT_SHAPE, ChatCompletion, ChatMessage, ChatRequest, OpenAIError
from app.http.described import examples
from app.http.wire.answer import (
    ANSWER_SHAPE,
    BATCH_SHAPE,
    INCLUDABLE,
    QUESTION_SHAPE,
    AnswerRequest,
    BatchRequest,
    DocumentToRead,
    QuestionToAnswer,
)
from app.http.wire.check import (
    CHECK_SHAPE,
    CheckRequest,
    ClaimOfAnswer,
    DocumentToCheck,
    QuoteOfAnswer,
    SourceOfAnswer,
)
from app.http.wire.document import DOCUMENT_SHAPE, DocumentToStore
from app.http.wire.responses import BatchResponse, Changed, Problem, Ready, Welcome
from app.http.wire.search import SEARCH_SHAPE, SearchRequest
from app.service.check import CheckResponse
from app.service.index_description import IndexResponse
from app.service.response import AnswerResponse, DocumentResponse
from app.service.search import SearchResponse
from common.errors import InvalidRequestError

PUT_STATUSES = ("200", "201", "400", "403", "409", "413", "415", "422", "500", "503", "default")


@pytest.fixture
async def description(client):
    response = await client.get("/openapi.json")
    assert response.status_code == 200
    return response.json()


async def test_every_route_and_its_errors_are_described(description):
    described = {
        f"{method.upper()} {path}": set(operation["responses"])
        for path, operations in description["paths"].items()
        for method, operation in operations.items()
    }
    assert described == {
        "POST /answer": {"200", "400", "413", "415", "422", "500", "502", "503", "504", "default"},
        "POST /answer/stream": {"200", "400", "413", "415", "422", "500", "503", "default"},
        "POST /answers": {"200", "400", "413", "415", "422", "500", "503", "default"},
        "POST /check": {"200", "400", "413", "415", "422", "500", "503", "504", "default"},
        "GET /search": {"200", "422", "500", "503", "504", "default"},
        "GET /indexes/current": {"200", "500", "503", "default"},
        "GET /documents/{document_id}": {"200", "404", "500", "503", "default"},
        "PUT /documents/{document_id}": {*PUT_STATUSES},
        "DELETE /documents/{document_id}": {"200", "403", "404", "409", "422", "500", "503", "default"},
        "POST /admin/reload": {"200", "403", "409", "500", "503", "default"},
        "POST /v1/chat/completions": {
            "200",
            "400",
            "404",
            "413",
            "415",
            "500",
            "502",
            "503",
            "504",
            "default",
        },
        "GET /v1/models": {"200", "500", "default"},
        "GET /v1/models/{model}": {"200", "404", "500", "default"},
        "GET /health/live": {"200"},
        "GET /health/ready": {"200", "503", "default"},
        "GET /": {"200"},
        "GET /metrics": {"200"},
    }


async def test_errors_are_described_as_problems_and_those_of_chats_in_openais_shape(description):
    assert description["components"]["schemas"]["Problem"]["required"] == [
        "type",
        "title",
        "status",
        "detail",
    ]
    assert "HTTPValidationError" not in description["components"]["schemas"]
    for path, operations in description["paths"].items():
        media_type, name, shape = (
            ("application/json", "OpenAIError", OpenAIError)
            if path.startswith("/v1/")
            else ("application/problem+json", "Problem", Problem)
        )
        for operation in operations.values():
            assert operation["summary"]
            assert operation["tags"]
            for status, response in operation["responses"].items():
                if status not in {"200", "201"}:
                    [(told_as, content)] = response["content"].items()
                    assert told_as == media_type
                    assert content["schema"] == {"$ref": f"#/components/schemas/{name}"}
                    shape.model_validate(content["example"])


async def test_requests_and_responses_carry_examples(description):
    schemas = description["components"]["schemas"]
    assert schemas["AnswerRequest"]["examples"][0] == {"question": "who designed the eiffel tower"}
    assert schemas["AnswerResponse"]["examples"][0]["answer"] == "Gustave Eiffel"
    assert schemas["DocumentResponse"]["examples"][0]["document_id"] == "Eiffel_Tower"
    assert schemas["BatchRequest"]["examples"] == [examples.BATCH_REQUEST]
    assert schemas["BatchResponse"]["examples"] == [examples.BATCH]
    assert schemas["SearchResponse"]["examples"] == [examples.SEARCH]
    assert schemas["IndexResponse"]["examples"] == [examples.INDEX]
    assert schemas["DocumentToStore"]["examples"] == [examples.DOCUMENT_TO_STORE]
    assert schemas["Changed"]["examples"] == [examples.CHANGED]
    assert schemas["Ready"]["examples"] == [examples.READY]
    assert schemas["ChatRequest"]["examples"] == [CHAT_REQUEST]
    assert schemas["ChatCompletion"]["examples"] == [COMPLETION]


async def test_what_can_be_included_is_said_once_and_the_same_everywhere(description):
    schema = description["components"]["schemas"]["AnswerRequest"]["properties"]["include"]
    assert tuple(schema["items"]["enum"]) == INCLUDABLE == ("hits", "candidates", "alternatives")


async def test_the_confidence_of_an_uncalibrated_answer_is_not_called_a_probability(description):
    confidence, calibration = (
        description["components"]["schemas"]["AnswerResponse"]["properties"][name]["description"]
        for name in ("confidence", "calibration")
    )
    assert (
        confidence
        == "Orders answers: higher is surer. How likely the answer is right only where calibration applies."
    )
    assert calibration == "null: the confidence is a score that orders answers, not a probability."


def test_the_examples_follow_the_schemas():
    AnswerRequest.model_validate(examples.REQUEST)
    AnswerRequest.model_validate(examples.REQUEST_FOR_LONG)
    AnswerRequest.model_validate(examples.REQUEST_WITH_DOCUMENTS)
    AnswerResponse.model_validate(examples.ANSWER)
    AnswerResponse.model_validate(examples.LONG_ANSWER)
    DocumentResponse.model_validate(examples.DOCUMENT)
    DocumentToStore.model_validate(examples.DOCUMENT_TO_STORE)
    Changed.model_validate(examples.CHANGED)
    BatchRequest.model_validate(examples.BATCH_REQUEST)
    BatchResponse.model_validate(examples.BATCH)
    SearchResponse.model_validate(examples.SEARCH)
    IndexResponse.model_validate(examples.INDEX)
    Ready.model_validate(examples.READY)
    ChatRequest.model_validate(CHAT_REQUEST)
    ChatCompletion.model_validate(COMPLETION)
    CheckRequest.model_validate(examples.CHECK_REQUEST)
    CheckRequest.model_validate(examples.CHECK_REQUEST_WITH_DOCUMENTS)
    CheckResponse.model_validate(examples.CHECK)
    for status, problem in examples.PROBLEMS.items():
        assert Problem.model_validate(problem).status == status


def test_the_example_quote_stands_in_the_example_document():
    document, answer = examples.DOCUMENT, examples.ANSWER
    [citation] = answer["citations"]
    text = document["text"]
    assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert text == citation["before"] + citation["quote"] + citation["after"]
    assert document["sha256"] == citation["document_sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert citation["document_id"] == document["document_id"]
    assert answer["answer"] in citation["quote"]
    *stages, total = answer["timings_ms"].values()
    assert sum(stages) == pytest.approx(total)


def test_the_example_of_a_long_answer_is_made_of_quotes_that_stand_in_the_example_document():
    text, answer = examples.DOCUMENT["text"], examples.LONG_ANSWER
    for citation in answer["citations"]:
        assert text[citation["start"] : citation["end"]] == citation["quote"]
        assert text == citation["before"] + citation["quote"] + citation["after"]
    assert answer["answer"] == " ".join(citation["quote"] for citation in answer["citations"])
    assert answer["short_answer"] == examples.ANSWER["answer"]
    *stages, _ = (value for name, value in answer["timings_ms"].items() if name != "total")
    assert sum([*stages, answer["timings_ms"]["compose"]]) == pytest.approx(answer["timings_ms"]["total"])


def test_the_example_of_a_batch_has_an_item_of_each_kind_for_the_questions_of_its_request():
    answered, refused = examples.BATCH["items"]
    first, second = examples.BATCH_REQUEST["questions"]
    assert answered == {"response": examples.ANSWER}
    assert answered["response"]["question"] == first["question"]
    assert refused == {"problem": examples.PROBLEMS[422]}
    assert second["top_k"] == 0


def test_the_example_of_a_check_has_its_places_in_the_answer_and_its_real_text_in_the_example_document():
    answer, text = examples.CHECK_REQUEST["answer"], examples.DOCUMENT["text"]
    for quote in examples.CHECK["quotes"]:
        assert answer[quote["place"]["start"] : quote["place"]["end"]] == quote["quote"]
        for span in quote["found"]["spans"]:
            assert text[span["start"] : span["end"]] == span["text"]
    for claim in examples.CHECK["claims"]:
        written = answer[claim["place"]["start"] : claim["place"]["end"]]
        assert written.replace(" [1]", "") == claim["claim"]


def test_the_example_of_a_search_finds_the_example_document():
    [hit] = examples.SEARCH["hits"]
    assert hit["text"] == examples.DOCUMENT["text"][hit["start"] : hit["end"]]
    assert [one["source"] for one in examples.SEARCH["attribution"]] == [hit["source"]]
    assert hit["source"] == examples.DOCUMENT["source"] == examples.INDEX["sources"][0]["name"]


@pytest.mark.parametrize(
    ("model", "shape", "prefix"),
    [
        (AnswerRequest, ANSWER_SHAPE, ""),
        (DocumentToRead, ANSWER_SHAPE, "documents[]."),
        (QuestionToAnswer, QUESTION_SHAPE, ""),
        (BatchRequest, BATCH_SHAPE, ""),
        (DocumentToStore, DOCUMENT_SHAPE, ""),
        (SearchRequest, SEARCH_SHAPE, ""),
        (ChatRequest, CHAT_SHAPE, ""),
        (ChatMessage, CHAT_SHAPE, "messages[]."),
        (CheckRequest, CHECK_SHAPE, ""),
        (QuoteOfAnswer, CHECK_SHAPE, "quotes[]."),
        (ClaimOfAnswer, CHECK_SHAPE, "claims[]."),
        (QuoteOfAnswer, CHECK_SHAPE, "claims[].quotes[]."),
        (DocumentToCheck, CHECK_SHAPE, "documents[]."),
        (SourceOfAnswer, CHECK_SHAPE, "sources[]."),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_sentence_about_a_wrong_value_can_say_what_is_right_for_every_field(
    model: type[BaseModel], shape, prefix
):
    named = {name.removeprefix(prefix) for name in shape.parts if name.startswith(prefix)}
    assert set(model.model_fields) == {name for name in named if "[" not in name and "." not in name}


QUESTION_CHARACTERS = "ab \t\n\r\x00\x08\x0e\x1b\x1c\x1f\x7f\x84\x85\x86\x9f\xa0\u200b\u2003\ufeffé😀"


@given(st.text(QUESTION_CHARACTERS, max_size=6))
def test_the_pattern_of_a_question_takes_what_the_service_takes(text):
    schema = QuestionToAnswer.model_json_schema()["properties"]["question"]
    fits = len(text) >= schema["minLength"] and re.search(schema["pattern"], text) is not None
    try:
        checked_question(text)
    except InvalidRequestError:
        assert not fits
    else:
        assert fits


async def test_the_description_says_what_is_refused(description):
    schemas = description["components"]["schemas"]
    refused = {
        "minLength": 1,
        "pattern": QuestionToAnswer.model_json_schema()["properties"]["question"]["pattern"],
    }
    for request in ("AnswerRequest", "QuestionToAnswer"):
        assert schemas[request]["properties"]["question"].items() >= refused.items()
    query, *_ = description["paths"]["/search"]["get"]["parameters"]
    assert (query["name"], query["required"]) == ("q", True)
    assert query["schema"].items() >= refused.items()
    documents = schemas["AnswerRequest"]["properties"]["documents"]
    assert documents["minItems"] == 1
    assert documents["anyOf"][0]["maxItems"] == 20
    questions = schemas["BatchRequest"]["properties"]["questions"]
    assert (questions["minItems"], questions["maxItems"]) == (1, 32)
    assert questions["items"] == {"$ref": "#/components/schemas/QuestionToAnswer"}
    assert schemas["QuestionToAnswer"]["additionalProperties"] is False
    assert "documents" not in schemas["QuestionToAnswer"]["properties"]


async def test_examples_of_refusals_are_what_the_service_says(client):
    named = {"X-Request-ID": examples.REQUEST_ID}
    response = await client.post("/answer", json={"question": "who?", "top_k": 0}, headers=named)
    assert response.json() == examples.PROBLEMS[422]
    response = await client.get("/documents/Eifel_Tower", headers=named)
    assert response.json() == examples.PROBLEMS[404]


async def test_the_shapes_of_an_answer_are_described_once_each_under_their_names(description):
    schemas = description["components"]["schemas"]
    of_answers = {"Citation", "Hit", "Candidate", "Opinion", "Place", "PassagePlace", "Alternative", "Model"}
    assert of_answers | {"AnswerResponse", "Calibration", "Attribution"} <= schemas.keys()
    assert schemas["Citation"]["properties"]["end"]["description"] == "The quote ends before it."
    assert schemas["Citation"]["required"] == list(schemas["Citation"]["properties"])
    assert (
        "wait: until the question's turn came"
        in (schemas["AnswerResponse"]["properties"]["timings_ms"]["description"])
    )


async def test_the_root_says_where_the_description_is(client):
    body = (await client.get("/")).json()
    assert body["name"] == "Loccit"
    assert (await client.get(body["openapi"])).status_code == 200
    assert Welcome.model_validate(body)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_no_page_is_served_that_would_load_scripts_from_the_network(client, path):
    assert (await client.get(path)).status_code == 404
