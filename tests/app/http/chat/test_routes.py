"""The chat routes and GET /v1/models: the same answers, keys, limits and logs, with OpenAI's errors."""

import asyncio
import json
import logging

import httpx
import pytest

from app.http.chat.wire import ChatCompletion
from app.http.server import create_app
from app.http.telemetry.request_id import HEADER
from app.service.api_keys import add_key
from app.service.settings import Settings
from tests.app.http.conftest import service_over, serving, until_ready
from tests.app.http.telemetry.test_metrics import scraped
from tests.app.http.test_event_stream import without_timings
from tests.app.http.test_requests import ASKED
from tests.app.http.test_serving import HeldGenerator

CHAT = "/v1/chat/completions"
QUESTION = {"role": "user", "content": ASKED["question"]}
BODY = {"model": "loccit", "messages": [QUESTION]}


@pytest.fixture
def held():
    generator = HeldGenerator()
    yield generator
    generator.released.set()


def error_of(response, status: int) -> dict:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert int(response.headers["content-length"]) == len(response.content)
    assert response.json().keys() == {"error"}
    error = response.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["param"] is None
    return error


def chunks_of(text: str) -> list[dict]:
    """The chunks of a stream that ends as it must."""
    *frames, done, end = text.split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    return [json.loads(frame.removeprefix("data: ")) for frame in frames if not frame.startswith(":")]


def total(chunks) -> dict:
    """The message that the deltas add up to."""
    content, annotations = "", []
    for chunk in chunks:
        [choice] = chunk["choices"]
        content += choice["delta"].get("content", "")
        annotations += choice["delta"].get("annotations", [])
    return {"role": "assistant", "content": content, "refusal": None, "annotations": annotations}


async def test_the_completion_tells_what_post_answer_says(client):
    response = await client.post(CHAT, json=BODY, headers={HEADER: "abc-1"})
    assert response.status_code == 200
    completion = response.json()
    ChatCompletion.model_validate(completion)
    answered = (await client.post("/answer", json=ASKED)).json()
    assert without_timings(completion["loccit"]) == without_timings(answered)
    assert (completion["id"], completion["object"], completion["model"]) == (
        "chatcmpl-abc-1",
        "chat.completion",
        "loccit",
    )
    [choice] = completion["choices"]
    assert (choice["index"], choice["finish_reason"]) == (0, "stop")
    assert completion["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    [citation] = answered["citations"]
    quoted = choice["message"]["annotations"][0]["loccit"]
    assert quoted == {**citation, "confidence": answered["confidence"]}
    document = (await client.get("/documents/towers%2Feiffel%20tower")).json()
    assert document["text"][quoted["start"] : quoted["end"]] == quoted["quote"]
    assert choice["message"]["content"].startswith(f"{answered['answer']} [1]\n\n")


async def test_the_address_of_a_document_without_one_is_where_it_is_served(client):
    asked = {"role": "user", "content": "who built the first tower in 1698"}
    completion = (await client.post(CHAT, json={"model": "loccit-plain", "messages": [asked]})).json()
    [annotation] = completion["choices"][0]["message"]["annotations"]
    address = annotation["url_citation"]["url"]
    assert address == "http://loccit/documents/lighthouses%2Feddystone"
    assert (await client.get(address)).json()["document_id"] == annotation["loccit"]["document_id"]


async def test_a_document_in_the_message_is_answered_from_and_named(client):
    content = "who ran it?\n```\nAnn ran it. 🗼\n```"
    body = {"model": "loccit-plain", "messages": [{"role": "user", "content": content}]}
    completion = (await client.post(CHAT, json=body)).json()
    [annotation] = completion["choices"][0]["message"]["annotations"]
    assert annotation["url_citation"]["url"] == "urn:loccit:document:document-1"
    quoted = annotation["loccit"]
    assert "Ann ran it. 🗼"[quoted["start"] : quoted["end"]] == quoted["quote"] == "Ann ran it."
    assert completion["loccit"]["generation"] is None


@pytest.mark.parametrize("model", ["loccit", "loccit-plain"])
async def test_the_chunks_of_a_stream_add_up_to_the_completion(client, model):
    body = {**BODY, "model": model}
    whole = (await client.post(CHAT, json=body)).json()
    response = await client.post(CHAT, json={**body, "stream": True})
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    chunks = chunks_of(response.text)
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert total(chunks) == whole["choices"][0]["message"]
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, None, "stop"]
    assert [chunk.get("usage") for chunk in chunks] == [None, None, None, whole["usage"]]
    assert without_timings(chunks[-1]["loccit"]) == without_timings(whole["loccit"])
    assert response.text.isascii()


async def test_an_abstention_is_a_message_that_stops_and_annotates_nothing():
    async with serving(lambda _: service_over(), min_confidence=1) as strict:
        # the small service has a threshold of its own, so the question is one that nothing backs
        body = {"model": "loccit", "messages": [{"role": "user", "content": "zyx?"}]}
        completion = (await strict.post(CHAT, json=body)).json()
        streamed = await strict.post(CHAT, json={**body, "stream": True})
    [choice] = completion["choices"]
    assert choice["finish_reason"] == "stop"
    assert completion["loccit"]["abstained"] is True
    assert choice["message"]["content"].startswith("No answer: ")
    assert choice["message"]["annotations"] == []
    assert total(chunks_of(streamed.text)) == choice["message"]


async def test_the_models_are_listed_those_with_sources_first(client):
    listed = (await client.get("/v1/models")).json()
    assert listed["object"] == "list"
    assert [model["id"] for model in listed["data"]] == ["loccit", "loccit-plain"]


async def test_each_model_that_is_listed_can_be_asked_for_by_its_name(client):
    for listed in (await client.get("/v1/models")).json()["data"]:
        response = await client.get(f"/v1/models/{listed['id']}")
        assert (response.status_code, response.json()) == (200, listed)
        assert listed["object"] == "model"


async def test_a_model_that_there_is_not_is_not_found(client):
    error = error_of(await client.get("/v1/models/gpt-5"), 404)
    assert error["code"] == "model_not_found"
    assert error["message"] == "There is no model 'gpt-5'; there are loccit and loccit-plain."


@pytest.mark.parametrize(
    ("changes", "status", "code", "message"),
    [
        (
            {"model": "gpt"},
            404,
            "model_not_found",
            "There is no model 'gpt'; there are loccit and loccit-plain.",
        ),
        (
            {"model": None},
            400,
            "invalid_request",
            "The field model is None, but it must be a text, loccit or loccit-plain.",
        ),
        (
            {"messages": []},
            400,
            "invalid_request",
            "The field messages is [], but it must be a list of messages, at least one.",
        ),
        (
            {"messages": [QUESTION, "who?"]},
            400,
            "invalid_request",
            "The field messages[1] is 'who?', but it must be an object with a role and a content.",
        ),
        (
            {"messages": [{"content": "who?"}]},
            400,
            "invalid_request",
            "The field messages[0].role is missing, but it must be a text such as user.",
        ),
        (
            {"stream": "yes"},
            400,
            "invalid_request",
            "The field stream is 'yes', but it must be true or false.",
        ),
        (
            {"tools": [{"type": "function"}]},
            400,
            "invalid_request",
            "The field tools is not supported: Loccit calls no tools; leave it out.",
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_refused_is_told_in_openais_shape(client, changes, status, code, message, stream):
    response = await client.post(CHAT, json={**BODY, "stream": stream, **changes})
    assert error_of(response, status) == {
        "message": message,
        "type": "invalid_request_error",
        "param": None,
        "code": code,
    }


async def test_what_is_refused_before_a_route_is_told_so_too(client):
    error = error_of(await client.post(CHAT, content=b"{"), 415)
    assert error["code"] == "unsupported_media_type"
    json_header = {"content-type": "application/json"}
    error = error_of(await client.post(CHAT, content=b"{", headers=json_header), 400)
    assert error["message"].startswith("The body is not JSON: ")
    error = error_of(await client.get(CHAT), 405)
    assert error["message"] == f"GET is not possible at '{CHAT}'; use POST."
    assert error_of(await client.get("/v1/embeddings"), 404)["code"] == "not_found"
    long = await client.post(CHAT, content=b"x" * 4_000_000, headers=json_header)
    assert error_of(long, 413)["code"] == "request_entity_too_large"
    assert (await client.get("/v2/models")).headers["content-type"] == "application/problem+json"


async def test_a_key_is_wanted_as_openais_clients_send_it(tmp_path):
    key = add_key(tmp_path / "keys.json", "ann", per_minute=1)
    async with serving(lambda _: service_over(), key_file=tmp_path / "keys.json") as guarded:
        for headers in ({}, {"Authorization": "Bearer sk-none"}):
            response = await guarded.get("/v1/models", headers=headers)
            assert error_of(response, 401)["code"] == "invalid_api_key"
            assert response.headers["www-authenticate"] == "Bearer"
        bearer = {"Authorization": f"Bearer {key}"}
        assert (await guarded.post(CHAT, json=BODY, headers=bearer)).status_code == 200
        response = await guarded.post(CHAT, json=BODY, headers=bearer)
        error = error_of(response, 429)
        assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
        assert int(response.headers["retry-after"]) > 0


async def test_until_it_is_ready_a_client_is_told_when_to_come_back():
    async with serving(lambda _: service_over(), ready=False) as starting:
        for stream in (False, True):
            response = await starting.post(CHAT, json={**BODY, "stream": stream})
            error = error_of(response, 503)
            assert (error["type"], error["code"]) == ("server_error", "not_ready")
            assert response.headers["retry-after"] == "5"
        assert (await starting.get("/v1/models")).status_code == 200


async def test_a_full_queue_refuses_a_stream_with_its_status(held):
    async with serving(lambda _: service_over(generator=held), max_waiting=1) as client:
        asking = [asyncio.create_task(client.post(CHAT, json=BODY)) for _ in range(2)]
        await held.wait_until_entered()
        response = await client.post(CHAT, json={**BODY, "stream": True})
        assert error_of(response, 503)["code"] == "busy"
        assert response.headers["retry-after"] == "5"
        held.released.set()
        assert [(await each).status_code for each in asking] == [200, 200]


async def test_out_of_time_a_client_is_told_not_to_ask_the_same_at_once(held):
    async with serving(lambda _: service_over(generator=held), timeout_s=0.3) as client:
        told = (await client.post(CHAT, json={**BODY, "stream": True})).text  # begun, then held
        response = await client.post(CHAT, json=BODY)
        error = error_of(response, 504)
        assert (error["type"], error["code"]) == ("server_error", "deadline_exceeded")
        assert response.headers["x-should-retry"] == "false"
        held.released.set()
    *_, last = chunks_of(told)
    assert last["error"]["code"] == "deadline_exceeded"


class Broken:
    """Answers the warm-up question alone."""

    def generate(self, question, *_, **__):
        if question.startswith("What is known"):
            return []
        raise RuntimeError("secret")


async def test_a_failure_is_told_without_its_reason_which_is_logged(caplog):
    async with serving(lambda _: service_over(generator=Broken())) as client:
        response = await client.post(CHAT, json=BODY)
        error = error_of(response, 500)
        told = (await client.post(CHAT, json={**BODY, "stream": True})).text
        counted = await scraped(client)
    assert (error["type"], error["code"]) == ("server_error", "unexpected")
    assert "secret" not in response.text
    assert chunks_of(told)[-1] == {"error": error}
    assert "secret" in caplog.text
    assert response.headers["x-request-id"]
    assert counted["loccit_requests_total", CHAT, "500"] == 1


async def test_questions_are_counted_and_logged_as_those_of_post_answer_are(client, caplog):
    caplog.set_level(logging.INFO)
    await client.post(CHAT, json=BODY)
    counted = await scraped(client)
    assert counted["loccit_requests_total", CHAT, "200"] == 1
    assert counted["loccit_questions_total", "answered"] == 1
    assert [record.answer["outcome"] for record in caplog.records if hasattr(record, "answer")] == [
        "answered"
    ]


async def test_a_client_that_leaves_stops_the_work_on_its_stream(held):
    app = create_app(Settings.of(generator="reader"), open_service=lambda _: service_over(generator=held))
    left, sent = asyncio.Event(), []
    body = json.dumps({**BODY, "stream": True}).encode()
    incoming = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        if incoming:
            return incoming.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": CHAT,
        "raw_path": CHAT.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"host", b"loccit")],
        "client": ("127.0.0.1", 1),
        "server": ("loccit", 80),
        "root_path": "",
    }
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://loccit") as client:
            await until_ready(client)
            streaming = asyncio.create_task(app(scope, receive, send))
            await held.wait_until_entered()
            left.set()
            await asyncio.wait_for(streaming, 10)
            held.released.set()
            counted = await scraped(client)
    assert counted["loccit_questions_total", "abandoned"] == 1
    assert b"[DONE]" not in b"".join(message.get("body", b"") for message in sent)
