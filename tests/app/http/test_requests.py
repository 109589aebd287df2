"""What POST /answer refuses, each with one sentence as application/problem+json."""

import json

import pytest
from pydantic import ValidationError

from app.http.wire.answer import AnswerRequest
from app.http.wire.check import CheckRequest

ASKED = {"question": "who designed the eiffel tower"}


def problem_of(response, status: int) -> dict:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) == {"type", "title", "status", "detail", "request_id"}
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["status"] == status
    return problem


async def refused(client, fields) -> str:
    body = json.dumps(fields)
    response = await client.post("/answer", content=body, headers={"content-type": "application/json"})
    problem = problem_of(response, 422)
    assert problem["type"] == "urn:loccit:problem:invalid-request"
    return problem["detail"]


@pytest.mark.parametrize("question", ["", "  \r\n\t\u2003"])
async def test_a_blank_question_is_refused(client, question):
    assert await refused(client, {"question": question}) == (
        "The question is blank; ask something in 1 to 2,000 characters."
    )


async def test_a_question_of_2_000_characters_is_the_longest(client):
    assert (await client.post("/answer", json={"question": f" {'é' * 2_000}\n"})).status_code == 200
    for length, shown in ((2_001, "2,001"), (10_000, "10,000")):
        assert await refused(client, {"question": "é" * length}) == (
            f"The question has {shown} characters, but at most 2,000 are accepted; hand longer text in as a "
            "document and ask about it."
        )


@pytest.mark.parametrize(("character", "name"), [("\0", "U+0000"), ("\x1b", "U+001B"), ("\x9f", "U+009F")])
async def test_a_control_character_is_refused_by_name_and_place(client, character, name):
    assert await refused(client, {"question": f"who?{character}"}) == (
        f"The question holds the control character {name} at offset 4; leave it out."
    )


async def test_a_lone_surrogate_in_the_question_is_refused(client):
    assert await refused(client, {"question": "who \udc00?"}) == (
        "The question holds the lone surrogate U+DC00 at offset 4; a character needs both halves of its pair."
    )


async def test_a_missing_question_is_named(client):
    assert await refused(client, {"top_k": 3}) == (
        "The field question is missing, but it must be a text of 1 to 2,000 characters."
    )


@pytest.mark.parametrize("value", [None, 5, ["who"], {"a": 1}, True])
async def test_a_question_that_is_no_text_is_refused(client, value):
    assert await refused(client, {"question": value}) == (
        f"The field question is {value}, but it must be a text of 1 to 2,000 characters."
    )


@pytest.mark.parametrize("value", [0, -1, 101, 10**6, 2.5, "5", True])
async def test_top_k_out_of_range_is_refused_with_value_and_range(client, value):
    assert await refused(client, {**ASKED, "top_k": value}) == (
        f"The field top_k is {value!r}, but it must be a whole number from 1 to 100."
    )


@pytest.mark.parametrize("value", [1, 100, 100.0, None])
async def test_top_k_within_range_is_accepted(client, value):
    assert (await client.post("/answer", json={**ASKED, "top_k": value})).status_code == 200


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf"), "0.5", True])
async def test_min_confidence_out_of_range_is_refused_with_value_and_range(client, value):
    assert await refused(client, {**ASKED, "min_confidence": value}) == (
        f"The field min_confidence is {value!r}, but it must be a number from 0 to 1."
    )


@pytest.mark.parametrize("value", ["longer", "Long", "", 2, True])
async def test_a_length_that_there_is_not_is_refused_with_those_there_are(client, value):
    assert await refused(client, {**ASKED, "length": value}) == (
        f"The field length is {value!r}, but it must be auto, short or long."
    )


async def test_include_names_what_there_is(client):
    assert await refused(client, {**ASKED, "include": ["hits", "readings"]}) == (
        "The field include[1] is 'readings', but it must be one of hits, candidates, alternatives."
    )
    assert await refused(client, {**ASKED, "include": "hits"}) == (
        "The field include is 'hits', but it must be a list of any of hits, candidates, alternatives."
    )


async def test_an_unknown_field_is_named_before_the_one_it_was_meant_for(client):
    assert await refused(client, {"questoin": "who?"}) == (
        "The field 'questoin' is not known; known are question, top_k, min_confidence, length, documents, filter, "
        "include."
    )


async def test_a_lone_surrogate_in_the_name_of_a_field_is_refused(client):
    assert (await refused(client, {**ASKED, "\ud83d": 1})).startswith(
        "The body has the field '\\ud83d' with a lone surrogate in its name, but it must be a JSON object"
    )


async def test_a_long_value_is_cut_in_the_sentence(client):
    sentence = await refused(client, {**ASKED, "top_k": "9" * 10_000})
    assert len(sentence) < 200


@pytest.mark.parametrize("body", ["[]", '"who?"', "null", "3"])
async def test_a_body_that_is_no_object_is_refused(client, body):
    response = await client.post("/answer", content=body, headers={"content-type": "application/json"})
    detail = problem_of(response, 422)["detail"]
    assert detail.endswith(
        'but it must be a JSON object such as {"question": "who designed the eiffel tower"}.'
    )


async def test_malformed_json_is_refused_with_its_place(client):
    content = '{"question": "who?" "top_k": 3}'
    response = await client.post("/answer", content=content, headers={"content-type": "application/json"})
    assert problem_of(response, 422)["detail"] == (
        "The body is not JSON: expecting ',' delimiter at character 20."
    )


async def test_an_empty_body_is_refused(client):
    response = await client.post("/answer", headers={"content-type": "application/json"})
    assert problem_of(response, 422)["detail"].startswith("The body is empty, but it must be a JSON object")


@pytest.mark.parametrize("path", ["/answer", "/answers", "/check", "/v1/chat/completions"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"question": "\xff"}', "The body cannot be read as JSON in UTF-8."),
        (
            b'{"question": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            "The body nests lists or objects too deeply to be read; no request needs more than a few levels.",
        ),
        (
            b'{"question": "who?", "top_k": ' + b"9" * 5_000 + b"}",
            "The body holds a whole number of too many digits to be read; write a shorter one.",
        ),
    ],
    ids=["not UTF-8", "too deep", "too many digits"],
)
async def test_a_body_that_cannot_be_read_is_refused(client, path, content, said):
    response = await client.post(path, content=content, headers={"content-type": "application/json"})
    if path.startswith("/v1/"):
        assert (response.status_code, response.json()["error"]["message"]) == (400, said)
    else:
        assert problem_of(response, 400)["detail"] == said


@pytest.mark.parametrize("depth", [1, 100, 500, 900, 990])
async def test_a_body_that_nests_less_deeply_is_told_what_it_must_be(client, depth):
    content = '{"question": ' + "[" * depth + "]" * depth + "}"
    response = await client.post("/answer", content=content, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422)
    detail = problem_of(response, response.status_code)["detail"]
    assert detail.startswith("The field question is ") or detail.startswith(
        "The body nests lists or objects too"
    )
    assert detail.endswith(".")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "nonsense"])
async def test_a_body_of_another_content_type_is_refused(client, content_type):
    content = json.dumps(ASKED)
    response = await client.post("/answer", content=content, headers={"content-type": content_type})
    assert problem_of(response, 415)["detail"] == (
        f"The body must be sent as 'application/json', but it came with {content_type!r}."
    )


async def test_a_body_without_content_type_is_refused(client):
    response = await client.post("/answer", content=json.dumps(ASKED))
    assert problem_of(response, 415)["detail"] == (
        "The body must be sent as 'application/json', but it came with no content type."
    )


async def test_a_body_that_is_too_large_is_refused(client):
    content = b'{"question": "' + b" " * 4_000_000 + b'"}'
    response = await client.post("/answer", content=content, headers={"content-type": "application/json"})
    assert problem_of(response, 413)["detail"] == (
        "The body is larger than 3,448,576 bytes; hand in fewer or shorter documents."
    )


async def test_another_method_is_refused_and_the_right_one_named(client):
    response = await client.get("/answer")
    assert problem_of(response, 405)["detail"] == "GET is not possible at '/answer'; use POST."
    assert response.headers["allow"] == "POST"


async def test_another_path_is_refused_and_the_description_named(client):
    response = await client.get("/nowhere")
    assert problem_of(response, 404)["detail"] == (
        "There is nothing at '/nowhere'; /openapi.json says what there is."
    )


@pytest.mark.parametrize("field", ["documents", "include"])
def test_the_first_wrong_item_of_a_list_ends_its_check(field):
    with pytest.raises(ValidationError) as refusal:
        AnswerRequest.model_validate({**ASKED, field: [1] * 1_000})
    assert [error["loc"] for error in refusal.value.errors()] == [(field, 0)]


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        (AnswerRequest, ()),
        (AnswerRequest, ("documents", 0)),
        (CheckRequest, ()),
        (CheckRequest, ("claims", 0, "quotes", 0)),
    ],
)
def test_the_first_unknown_field_ends_their_check(kind, place):
    """An error for each of 300,000 took seconds, in which nobody was answered."""
    body: object = {f"field {number}": 0 for number in range(1_000)}
    for part in reversed(place):
        body = [body] if isinstance(part, int) else {part: body}
    with pytest.raises(ValidationError) as refusal:
        kind.model_validate(body)
    unknown = [error["loc"] for error in refusal.value.errors() if error["type"] == "extra_forbidden"]
    assert unknown == [(*place, "field 0")]


async def test_more_documents_than_any_service_takes_are_counted_and_not_read(client):
    assert await refused(client, {**ASKED, "documents": [{"text": ""}] * 100_000}) == (
        "The field documents has 100,000 items, but it must be a list of at most 1,000 objects with a text each."
    )
    assert await refused(client, {**ASKED, "documents": [{"text": ""}] * 21}) == (
        "21 documents were given, but at most 20 are accepted."
    )


async def test_a_list_that_is_too_long_is_counted(client):
    response = await client.get("/search", params={"q": "who?", "filter": ["source=a"] * 1_001})
    assert problem_of(response, 422)["detail"] == (
        "The parameter filter has 1,001 items, but it must be given at most 1,000 times: a field and a value, such as "
        "source=handbook."
    )


@pytest.mark.parametrize("depth", range(880, 1_000, 4))
async def test_a_value_that_nests_deep_is_the_requests_fault(client, depth):
    content = f'{{"question": "who?", "filter": {{"a": {"[" * depth}{"]" * depth}}}}}'
    response = await client.post("/answer", content=content, headers={"content-type": "application/json"})
    assert response.status_code in {400, 422}
