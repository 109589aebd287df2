"""A language model behind a server, over the wire: every fault ends in time, with a sentence, and without a secret."""

import asyncio
import json
import logging
import socket
import time

import pytest

from app.answering.language_models.openai_server import MOST_BYTES, OpenAIServer
from common.deadline import NO_DEADLINE, Deadline
from common.errors import (
    DeadlineExceededError,
    GivenUpError,
    InvalidRequestError,
    LanguageModelServerError,
)
from tests.played_server import played

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

MESSAGES = [{"role": "user", "content": "who"}]
SCHEMA = {"type": "object"}
KEY = "sk-secret-1234"


def server_at(url: str, **named) -> OpenAIServer:
    return OpenAIServer(url, "qwen3:4b", **{"seconds": 5.0, "key": KEY, **named})


def texts(
    server: OpenAIServer, *, temperatures=(0.0,), deadline=NO_DEADLINE, seed=7, messages=MESSAGES
) -> list[str]:
    return server.texts(
        messages,
        schema=SCHEMA,
        max_tokens=64,
        temperatures=temperatures,
        seed=seed,
        deadline=deadline,
    )


def fault(answer, **named) -> str:
    """The sentence that a server which answers so ends in; it never tells where the server is."""
    with played(answer) as server, pytest.raises(LanguageModelServerError) as raised:
        texts(server_at(server.url, **named))
    sentence = str(raised.value)
    assert "language model qwen3:4b" in sentence
    assert "127.0.0.1" not in sentence
    assert KEY not in sentence
    assert raised.value.__cause__ is None
    return sentence


def test_the_question_goes_to_the_model_of_this_name_with_the_key_and_the_text_comes_back():
    with played(lambda exchange: exchange.say("Gustave Eiffel 🗼")) as server:
        assert texts(server_at(f"{server.url}/")) == ["Gustave Eiffel 🗼"]
    assert server.paths == ["/v1/chat/completions"]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    [asked] = server.asked
    form = asked.pop("response_format")
    assert asked == {
        "model": "qwen3:4b",
        "messages": MESSAGES,
        "max_tokens": 64,
        "temperature": 0.0,
        "seed": 7,
        "stream": False,
    }
    assert form["type"] == "json_schema"
    assert form["json_schema"]["schema"] == SCHEMA


def test_without_a_key_none_is_sent():
    with played(lambda exchange: exchange.say("x")) as server:
        texts(server_at(server.url, key=None))
    assert "authorization" not in server.headers[0]


def test_each_temperature_is_a_request_with_a_seed_of_its_own_and_the_texts_keep_their_order():
    def answer(exchange):
        time.sleep(0.2 if exchange.body["temperature"] == 0 else 0)
        exchange.say(str(exchange.body["seed"]))

    with played(answer) as server:
        assert texts(server_at(server.url), temperatures=(0.0, 0.7, 0.7)) == ["7", "8", "9"]
    assert sorted(asked["temperature"] for asked in server.asked) == [0.0, 0.7, 0.7]


@pytest.mark.parametrize("status", [400, 422, 500, 501])
def test_a_server_that_refuses_the_form_of_an_answer_is_asked_without_it_and_never_again_with(status):
    def answer(exchange):
        exchange.send(b"no", status) if "response_format" in exchange.body else exchange.say("free")

    with played(answer) as server:
        model = server_at(server.url)
        assert texts(model) == ["free"]
        forms = [asked.get("response_format", {}).get("type") for asked in server.asked]
        assert forms == ["json_schema", "json_object", None]
        assert texts(model) == ["free"]
    assert len(server.asked) == 4


WITH_SYSTEM = [
    {"role": "system", "content": "Quote word for word."},
    {"role": "user", "content": "An example?"},
    {"role": "assistant", "content": "So it is."},
    {"role": "user", "content": "who"},
]
TOGETHER = [{"role": "user", "content": "Quote word for word.\n\nAn example?"}, *WITH_SYSTEM[2:]]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            400,
            b'{"object": "error", "message": "System role not supported", "type": "BadRequestError", "code": 400}',
        ),
        (500, b'{"error": {"code": 500, "message": "System role not supported", "type": "server_error"}}'),
    ],
    ids=["vLLM", "llama.cpp"],
)
@pytest.mark.parametrize("request_fields", [{}, {"response_format": {"type": "text"}}])
def test_a_template_that_knows_no_system_gets_its_message_with_the_users_and_never_again_otherwise(
    status, said, request_fields
):
    def answer(exchange):
        knows_none = exchange.body["messages"][0]["role"] == "system"
        exchange.send(said, status) if knows_none else exchange.say("held")

    with played(answer) as server:
        asked = server_at(server.url, request=request_fields)
        assert texts(asked, messages=WITH_SYSTEM) == ["held"]
        assert server.asked[-1]["messages"] == TOGETHER
        kept = server.asked[-1]["response_format"]["type"]
        assert kept == request_fields.get("response_format", {"type": "json_schema"})["type"]
        before = len(server.asked)
        assert texts(asked, messages=WITH_SYSTEM) == ["held"]
        assert [each["messages"] for each in server.asked[before:]] == [TOGETHER]


def test_a_system_that_is_known_stays_a_message_of_its_own():
    with played(lambda exchange: exchange.say("held")) as server:
        assert texts(server_at(server.url), messages=WITH_SYSTEM) == ["held"]
        assert [each["messages"] for each in server.asked] == [WITH_SYSTEM]


def test_a_server_that_refuses_whatever_is_asked_is_told_after_every_way():
    with played(lambda exchange: exchange.send(b"no", 400)) as server:
        with pytest.raises(LanguageModelServerError, match=r"refused the request; .* \(status 400\)"):
            texts(server_at(server.url), messages=WITH_SYSTEM)
        assert len(server.asked) == 6


def test_a_refusal_for_another_reason_leaves_the_form_to_be_tried_again():
    refuses = True

    def answer(exchange):
        exchange.send(b"too long", 400) if refuses else exchange.say("held")

    with played(answer) as server:
        model = server_at(server.url)
        with pytest.raises(LanguageModelServerError, match="LOCCIT_PASSAGES_SHOWN"):
            texts(model)
        refuses = False
        assert texts(model) == ["held"]
        assert server.asked[-1]["response_format"]["type"] == "json_schema"


def test_a_server_that_held_the_form_and_fails_later_is_not_asked_again():
    with played(lambda exchange: exchange.say("held")) as server:
        model = server_at(server.url)
        texts(model)
        server.answer = lambda exchange: exchange.send(b"", 500)
        with pytest.raises(LanguageModelServerError, match="failed"):
            texts(model)
    assert len(server.asked) == 2


def test_what_the_owner_adds_to_requests_counts():
    added = {"reasoning_effort": "none", "max_tokens": 9, "response_format": {"type": "text"}}
    with played(lambda exchange: exchange.say("x")) as server:
        texts(server_at(server.url, request=added))
    assert added.items() <= server.asked[0].items()


def test_a_field_that_the_owner_makes_null_is_not_sent():
    added = {"max_tokens": None, "max_completion_tokens": 9, "seed": None, "response_format": None}
    with played(lambda exchange: exchange.say("x")) as server:
        texts(server_at(server.url, request=added))
    [asked] = server.asked
    assert asked == {
        "model": "qwen3:4b",
        "messages": MESSAGES,
        "temperature": 0.0,
        "stream": False,
        "max_completion_tokens": 9,
    }


@pytest.mark.parametrize("content", ['{"claims": [', "", None])
def test_that_a_model_was_cut_off_is_logged(caplog, content):
    with played(lambda exchange: exchange.say(content, finish_reason="length")) as server:
        assert texts(server_at(server.url)) == [content or ""]
    [line] = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line.startswith("The language model qwen3:4b was cut off")
    assert "raise max_tokens, with LOCCIT_LANGUAGE_MODEL_REQUEST" in line


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, "wants another key; give it in LOCCIT_LANGUAGE_MODEL_KEY (status 401)."),
        (403, "does not allow this key"),
        (404, "has no such model"),
        (429, "was asked too often"),
        (500, "failed; its own log says why (status 500)."),
        (503, "is not ready"),
        (302, "sends elsewhere, which is not followed"),
        (418, "refused the request; its own log says why (status 418)."),
    ],
)
def test_a_status_is_told_by_what_to_do_about_it(status, sentence):
    def answer(exchange):
        exchange.send(json.dumps({"error": {"message": f"bad key {KEY}"}}).encode(), status, Location="/x")

    assert sentence in fault(answer)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"Internal error",
        b"{",
        b"[]",
        b"null",
        b'{"choices": []}',
        b'{"choices": {}}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": [{"message": {"content": ["a"]}}]}',
        b'{"choices": [{"message": "text"}]}',
        b'{"error": {"message": "out of memory"}}',
        b'{"choices": [{"message": {"content": "\xff\xfe"}}]}',
        '{"choices": [{"message": {"content": "x"}}]}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"n": ' + b"9" * 10_000 + b"}",
    ],
)
def test_what_is_no_chat_completion_is_said_to_be_none(body):
    assert "is no chat completion" in fault(lambda exchange: exchange.send(body))


def test_a_body_that_comes_compressed_though_none_was_wanted_is_not_unpacked():
    import gzip

    packed = gzip.compress(b"0" * 10_000_000)
    assert "is no chat completion" in fault(lambda exchange: exchange.send(packed, Content_Encoding="gzip"))


def test_an_answer_of_nothing_and_an_answer_in_parts_are_texts():
    with played(lambda exchange: exchange.say(None)) as server:
        assert texts(server_at(server.url)) == [""]
    parts = [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]
    with played(lambda exchange: exchange.say(parts)) as server:
        assert texts(server_at(server.url)) == ["ab"]


def test_a_server_that_dies_amid_its_answer_broke_off():
    def answer(exchange):
        exchange.start(Content_Length="1000")
        exchange.write(b'{"choices": [{"message": {"content": "half')

    assert "broke off before its answer was whole" in fault(answer)


def test_a_server_that_says_nothing_and_hangs_up_broke_off():
    assert "broke off" in fault(lambda exchange: None)


def test_what_is_no_http_at_all_broke_off():
    assert "broke off" in fault(lambda exchange: exchange.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"))


def test_a_server_that_is_not_there_cannot_be_reached():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        model = server_at(f"http://127.0.0.1:{taken.getsockname()[1]}/v1")
        with pytest.raises(
            LanguageModelServerError, match=r"cannot be reached; see whether it runs"
        ) as raised:
            texts(model)
        assert "127.0.0.1" not in str(raised.value)


@pytest.mark.parametrize(
    "error", [OverflowError("port"), UnicodeError("host"), ExceptionGroup("all", [OSError()])]
)
def test_whatever_a_library_raises_is_the_same_sentence(monkeypatch, error):
    def raises(*_, **__):
        raise error

    monkeypatch.setattr("httpx.AsyncClient.stream", raises)
    model = server_at("http://127.0.0.1:9/v1")
    with pytest.raises(LanguageModelServerError, match="qwen3:4b cannot be reached"):
        texts(model)
    assert "qwen3:4b cannot be reached" in asyncio.run(model.complaint())


def test_endless_text_is_cut_off():
    sent = 0

    def answer(exchange):
        nonlocal sent
        exchange.start(Transfer_Encoding="chunked")
        while not exchange.stopped.is_set():
            exchange.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            sent += 0x10000

    assert f"sent more than {MOST_BYTES:,} bytes" in fault(answer)
    assert sent < 20 * MOST_BYTES


def trickling(exchange):
    """A byte now and then, which no limit on a single read ends."""
    exchange.start(Transfer_Encoding="chunked")
    while not exchange.stopped.wait(0.05):
        exchange.write(b"1\r\nx\r\n")


@pytest.mark.parametrize(
    "answer", [trickling, lambda exchange: exchange.stopped.wait()], ids=["trickle", "silence"]
)
def test_the_deadline_holds_whatever_the_server_does(answer):
    with played(answer) as server:
        started = time.monotonic()
        with pytest.raises(
            DeadlineExceededError, match=r"qwen3:4b had not answered when the time allowed ran out"
        ):
            texts(server_at(server.url, seconds=60), deadline=Deadline.after(0.4))
        assert 0.4 <= time.monotonic() - started < 20


def test_without_a_deadline_the_servers_own_time_is_bounded():
    with played(trickling) as server:
        started = time.monotonic()
        with pytest.raises(LanguageModelServerError, match=r"did not answer within 0\.4 seconds"):
            texts(server_at(server.url, seconds=0.4))
        assert time.monotonic() - started < 20


def test_work_that_is_given_up_ends_at_once():
    deadline = Deadline()

    def answer(exchange):
        deadline.give_up()
        exchange.stopped.wait()

    with played(answer) as server:
        started = time.monotonic()
        with pytest.raises(GivenUpError):
            texts(server_at(server.url, seconds=60), deadline=deadline)
        assert time.monotonic() - started < 20


def test_the_samples_that_came_in_time_are_handed_over():
    def answer(exchange):
        exchange.say("first") if exchange.body["temperature"] == 0 else exchange.stopped.wait()

    with played(answer) as server:
        found = texts(server_at(server.url), temperatures=(0.0, 0.7), deadline=Deadline.after(0.6))
    assert found == ["first"]


def test_a_sample_that_fails_beside_one_that_came_is_only_logged(caplog):
    def answer(exchange):
        exchange.say("first") if exchange.body["temperature"] == 0 else exchange.send(b"", 500)

    with caplog.at_level(logging.DEBUG), played(answer) as server:
        assert texts(server_at(server.url), temperatures=(0.0, 0.7)) == ["first"]
    [line] = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert "qwen3:4b failed" in line
    assert not [
        record
        for record in caplog.records
        if "127.0.0.1" in record.getMessage() or KEY in record.getMessage()
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "https:///v1",
        "ftp://host/v1",
        "http://host:port/v1",
        "http://h/v1?key=1",
        "//host",
        "\0",
        "http://h:99999/v1",
        "http://h:0/v1",
        "http://xn--a/v1",
        "http://a..b/v1",
        "http://" + "a" * 64 + "/v1",
    ],
)
def test_what_is_no_address_is_refused_without_being_told(url):
    with pytest.raises(InvalidRequestError, match=r"such as http://127\.0\.0\.1:11434/v1"):
        server_at(url)


def test_a_password_in_the_address_is_refused_without_being_told():
    with pytest.raises(InvalidRequestError, match="LOCCIT_LANGUAGE_MODEL_KEY") as raised:
        server_at("http://me:hunter2@127.0.0.1/v1")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("key", ["a b", "a\nb", "schlüssel"])
def test_what_cannot_be_a_key_is_refused_without_being_told(key):
    with pytest.raises(InvalidRequestError, match="copy it again") as raised:
        server_at("http://127.0.0.1/v1", key=key)
    assert key not in str(raised.value)


def test_it_shows_neither_address_nor_key():
    assert repr(server_at("http://127.0.0.1:9/v1")) == "OpenAIServer(name='qwen3:4b')"


def test_no_proxy_of_the_environment_is_asked(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with played(lambda exchange: exchange.say("direct")) as server:
        assert texts(server_at(server.url)) == ["direct"]


@pytest.mark.parametrize(
    ("models", "complaint"),
    [
        (lambda exchange: exchange.send(b"{}"), None),
        (lambda exchange: exchange.send(b"", 404), None),
        (lambda exchange: exchange.send(b"", 401), "wants another key"),
        (lambda exchange: exchange.send(b"", 503), "is not ready"),
        (lambda exchange: exchange.stopped.wait(), "did not answer within 0.3 seconds"),
    ],
)
def test_a_look_says_what_keeps_the_server_from_answering(models, complaint):
    with played(lambda exchange: exchange.say("x")) as server:
        server.models = models
        found = asyncio.run(server_at(server.url).complaint(seconds=0.3))
    assert found is None if complaint is None else complaint in found
    assert server.paths == ["/v1/models"]
    assert server.asked == []
