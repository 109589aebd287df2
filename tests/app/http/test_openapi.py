"""The service's description of itself: whole, with examples that hold."""

import hashlib

import pytest
from pydantic import BaseModel

from app.http import examples, wire
from app.http.wire import EXPECTED, AnswerRequest, DocumentToRead, Problem, Ready
from app.service.response import AnswerResponse, DocumentResponse


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
        "POST /answer": {"200", "400", "413", "415", "422", "500", "503", "504", "default"},
        "POST /answer/stream": {"200", "400", "413", "415", "422", "500", "503", "default"},
        "GET /documents/{document_id}": {"200", "404", "500", "503", "default"},
        "GET /health/live": {"200"},
        "GET /health/ready": {"200", "503", "default"},
        "GET /": {"200"},
        "GET /metrics": {"200"},
    }


async def test_errors_are_described_as_problems(description):
    assert description["components"]["schemas"]["Problem"]["required"] == [
        "type",
        "title",
        "status",
        "detail",
    ]
    assert "HTTPValidationError" not in description["components"]["schemas"]
    for operations in description["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert operation["tags"]
            for status, response in operation["responses"].items():
                if status != "200":
                    [(media_type, content)] = response["content"].items()
                    assert media_type == "application/problem+json"
                    assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
                    Problem.model_validate(content["example"])


async def test_requests_and_responses_carry_examples(description):
    schemas = description["components"]["schemas"]
    assert schemas["AnswerRequest"]["examples"][0] == {"question": "who designed the eiffel tower"}
    assert schemas["AnswerResponse"]["examples"][0]["answer"] == "Gustave Eiffel"
    assert schemas["DocumentResponse"]["examples"][0]["document_id"] == "Eiffel_Tower"
    assert schemas["Ready"]["examples"] == [examples.READY]


async def test_what_can_be_included_is_said_once_and_the_same_everywhere(description):
    schema = description["components"]["schemas"]["AnswerRequest"]["properties"]["include"]
    assert tuple(schema["items"]["enum"]) == wire.INCLUDABLE == ("hits", "candidates", "alternatives")


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
    Ready.model_validate(examples.READY)
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


@pytest.mark.parametrize("model", [AnswerRequest, DocumentToRead])
def test_the_sentence_about_a_wrong_value_can_say_what_is_right_for_every_field(model: type[BaseModel]):
    prefix = "documents[]." if model is DocumentToRead else ""
    assert {f"{prefix}{name}" for name in model.model_fields} <= set(EXPECTED)


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
    assert wire.Welcome.model_validate(body)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_no_page_is_served_that_would_load_scripts_from_the_network(client, path):
    assert (await client.get(path)).status_code == 404
