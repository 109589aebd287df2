"""OpenAI's own Python client before a running server."""

import asyncio

import openai
import pytest
from openai import OpenAI

from app.service.api_keys import add_key
from tests.server_process import QUESTION, TOWERS, build, running

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

MESSAGES = [{"role": "user", "content": QUESTION["question"]}]
QUOTE = "Henry Winstanley built the first Eddystone tower in 1698."


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chat")
    build(folder / "index")
    key = add_key(folder / "keys.json", "ann")
    with running(folder / "index", key_file=folder / "keys.json", timeout_s=3) as server:
        yield server.url, key


def client_of(server, **options) -> OpenAI:
    url, key = server
    return OpenAI(**{"base_url": f"{url}/v1", "api_key": key, **options})


def test_it_gets_the_answer_with_a_quote_that_stands_in_the_document(server):
    completion = client_of(server).chat.completions.create(
        model="loccit-plain", messages=MESSAGES, temperature=0
    )
    [choice] = completion.choices
    assert choice.finish_reason == "stop"
    assert choice.message.content == completion.model_extra["loccit"]["answer"]
    [annotation] = choice.message.annotations
    cited = annotation.url_citation
    assert choice.message.content[cited.start_index : cited.end_index] == choice.message.content
    assert cited.url == f"{server[0]}/documents/towers"
    quoted = annotation.model_extra["loccit"]
    assert quoted["quote"] == QUOTE == TOWERS["towers"][quoted["start"] : quoted["end"]]
    assert 0 < quoted["confidence"] <= 1


def test_it_reads_a_stream_to_its_end(server):
    whole = client_of(server).chat.completions.create(model="loccit", messages=MESSAGES)
    stream = client_of(server).chat.completions.create(model="loccit", messages=MESSAGES, stream=True)
    chunks = list(stream)
    deltas = [chunk.choices[0].delta for chunk in chunks]
    assert "".join(delta.content or "" for delta in deltas) == whole.choices[0].message.content
    annotations = [each for delta in deltas for each in (delta.model_extra or {}).get("annotations", [])]
    assert [each["loccit"]["quote"] for each in annotations] == [QUOTE]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].model_extra["loccit"]["citations"][0]["quote"] == QUOTE


def test_its_helper_for_streams_gathers_the_same_text(server):
    with client_of(server).chat.completions.stream(model="loccit", messages=MESSAGES) as stream:
        for _ in stream:
            pass
        gathered = stream.get_final_completion()
    whole = client_of(server).chat.completions.create(model="loccit", messages=MESSAGES)
    assert gathered.choices[0].message.content == whole.choices[0].message.content


async def test_its_asynchronous_client_may_ask_several_things_at_once(server):
    async with openai.AsyncOpenAI(base_url=f"{server[0]}/v1", api_key=server[1]) as client:
        asking = [client.chat.completions.create(model="loccit-plain", messages=MESSAGES) for _ in range(3)]
        contents = {completion.choices[0].message.content for completion in await asyncio.gather(*asking)}
    assert len(contents) == 1


def test_it_lists_the_models(server):
    assert [model.id for model in client_of(server).models.list()] == ["loccit", "loccit-plain"]


def test_it_raises_its_own_errors_with_the_sentence_and_the_request_id(server):
    create = client_of(server, max_retries=0).chat.completions.create
    with pytest.raises(openai.BadRequestError) as refused:
        create(model="loccit", messages=MESSAGES, n=2)
    assert refused.value.code == "invalid_request"
    assert (
        refused.value.body["message"]
        == "The field n is not supported: a question has one answer; leave it out."
    )
    assert refused.value.request_id
    with pytest.raises(openai.NotFoundError) as unknown:
        create(model="gpt", messages=MESSAGES)
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.AuthenticationError) as stranger:
        client_of(server, api_key="sk-none").chat.completions.create(model="loccit", messages=MESSAGES)
    assert stranger.value.code == "invalid_api_key"


def test_it_does_not_ask_again_what_takes_too_long(server):
    slow = [{"role": "user", "content": "take 4 s for the tower"}]
    with pytest.raises(openai.InternalServerError) as late:
        client_of(server, max_retries=3).chat.completions.create(model="loccit", messages=slow)
    assert (late.value.status_code, late.value.code) == (504, "deadline_exceeded")
    assert late.value.response.request.headers["x-stainless-retry-count"] == "0"


def test_an_error_within_a_stream_is_raised(server):
    slow = [{"role": "user", "content": "take 4 s for the tower"}]
    stream = client_of(server).chat.completions.create(model="loccit", messages=slow, stream=True)
    with pytest.raises(openai.APIError, match="There was no answer within 3 seconds"):
        list(stream)
