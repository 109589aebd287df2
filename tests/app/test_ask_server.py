"""`loccit ask --server`: what is asked of a server, and what is shown of what it says."""

import asyncio
import json

import httpx
import pytest

from app.http import client
from app.http.described import examples
from app.http.server import create_app
from app.service.settings import Settings


def test_a_server_is_told_the_length_and_the_filter(loccit, monkeypatch):
    sent, answered = [], json.dumps(examples.LONG_ANSWER).encode()

    def post(url, **given):
        sent.append(given["json"])
        return respond(200, answered)(url)

    monkeypatch.setattr(client.httpx, "post", post)
    status, out, _ = loccit("ask", "x", "--server", "http://127.0.0.1:1", "--length", "long")
    assert status == 0
    assert sent == [{"question": "x", "length": "long"}]
    assert "in “Gustave Eiffel”" in out
    loccit("ask", "x", "--server", "http://127.0.0.1:1")
    assert sent[1] == {"question": "x"}
    loccit("ask", "x", "--server", "http://127.0.0.1:1", "--filter", "team=a", "--filter", "team=2")
    assert sent[2] == {"question": "x", "filter": {"team": ["a", 2]}}


def respond(status: int, content: bytes):
    def post(url: str, **_: object) -> httpx.Response:
        request = httpx.Request("POST", url)
        return httpx.Response(status, content=content, request=request)

    return post


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (422, b'{"detail": "The question is blank."}', "The question is blank."),
        (500, b"[]", "answered with status 500"),
        (200, b"<html>", "is not a Loccit server"),
        (200, b"{}", "What answers at 'http://127.0.0.1:1' is not a Loccit server"),
        (200, b"[]", "What answers at 'http://127.0.0.1:1' is not a Loccit server"),
        (200, b'{"answer": "yes"}', "What answers at 'http://127.0.0.1:1' is not a Loccit server"),
    ],
)
def test_a_servers_refusal_is_passed_on_as_its_sentence(loccit, monkeypatch, status, content, sentence):
    monkeypatch.setattr(client.httpx, "post", respond(status, content))
    code, _, said = loccit("ask", "x", "--server", "http://127.0.0.1:1")
    assert code == 1
    assert sentence in said


def test_no_server_at_all_is_a_sentence(loccit, monkeypatch):
    def refused(url: str, **_: object):
        raise httpx.ConnectError("Connection refused")

    monkeypatch.setattr(client.httpx, "post", refused)
    code, _, said = loccit("ask", "x", "--server", "http://127.0.0.1:1/")
    assert code == 1
    assert "No Loccit server answers at 'http://127.0.0.1:1' (Connection refused)" in said


def test_a_servers_answer_is_handed_on_as_it_came(loccit, monkeypatch):
    monkeypatch.setattr(client.httpx, "post", respond(200, json.dumps(examples.ANSWER).encode()))
    code, out, _ = loccit("ask", "x", "--server", "http://127.0.0.1:1", "--json")
    assert (code, json.loads(out)) == (0, examples.ANSWER)


def test_the_same_question_is_answered_with_the_same_object_in_process_by_a_server_and_over_http(
    loccit, notes_index, monkeypatch
):
    settings = Settings.of(index=notes_index, generator="reader", reader="lexical", min_confidence=0.0)
    sent = []

    async def over_http(url: str, body: dict) -> httpx.Response:
        app = create_app(settings)
        transport = httpx.ASGITransport(app=app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://loccit") as asking,
        ):
            while (await asking.get("/health/ready")).status_code != 200:
                await asyncio.sleep(0.01)
            sent.append(await asking.post("/answer", json=body))
        return sent[0]

    monkeypatch.setattr(
        client.httpx, "post", lambda url, *, json, headers, timeout: asyncio.run(over_http(url, json))
    )
    asked = ("ask", "who built the first Eddystone tower", "--json")
    here = ("--index", notes_index, "--generator", "reader", "--reader", "lexical", "--min-confidence", 0)
    in_process = json.loads(loccit(*asked, *here)[1])
    from_server = json.loads(loccit(*asked, "--server", "http://127.0.0.1:1")[1])
    assert from_server == sent[0].json()
    assert in_process["model"]["support"]
    timings = in_process.pop("timings_ms"), from_server.pop("timings_ms")
    assert timings[0].keys() == timings[1].keys() >= {"wait", "total"}
    assert in_process == from_server
    assert list(in_process) == list(from_server)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--index", "data/indexes/vital-articles"), "--index"),
        (("--generator", "lm"), "--generator"),
        (("--language-model", "gemma-3-270m"), "--language-model"),
        (("--retrieval", "hybrid"), "--retrieval"),
        (("--allow-download",), "--allow-download"),
        (("--confidence", "score"), "--confidence"),
        (("--generator", "lm", "--retrieval", "dense"), "--retrieval, --generator"),
    ],
)
def test_options_that_a_server_cannot_follow_are_refused_by_name(loccit, monkeypatch, options, named):
    monkeypatch.setattr(client.httpx, "post", respond(200, json.dumps(examples.ANSWER).encode()))
    code, out, said = loccit("ask", "x", "--server", "http://127.0.0.1:1", *options)
    assert (code, out) == (1, "")
    assert said == (
        f"The options {named} do not count with --server, which answers as it was started; leave them out, "
        "or leave out --server.\n"
    )


def test_an_index_named_by_the_environment_does_not_bar_asking_a_server(loccit, monkeypatch):
    monkeypatch.setattr(client.httpx, "post", respond(200, json.dumps(examples.ANSWER).encode()))
    monkeypatch.setenv("LOCCIT_INDEX", "nowhere")
    assert loccit("ask", "x", "--server", "http://127.0.0.1:1", "-k", 3)[0] == 0
