"""A real server of a language model: llama-cpp-python's own, with SmolLM2 (`make test-language-model-server`)."""

import asyncio
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.answering.language_models.openai_server import OpenAIServer
from app.service.ask import Ask, answered
from app.service.assembly import open_service
from app.service.response import response_of
from app.service.settings import Settings
from common.deadline import Deadline
from common.errors import DeadlineExceededError
from common.packaged import SMOLLM2

PYTHON = os.environ.get("LOCCIT_TEST_LANGUAGE_MODEL_SERVER")
pytestmark = [
    pytest.mark.language_model_server,
    pytest.mark.skipif(PYTHON is None, reason="run `make test-language-model-server`"),
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
]

NAME = "smollm2"
KEY = "sk-of-the-test"
QUESTIONS = (
    "who built the first Eddystone tower",
    "when did a storm take the Eddystone tower",
    "when did the horse tram run in Lisbon",
    "when did electric trams come to Lisbon",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    """The base address of a server that holds SmolLM2 and wants the key."""
    [model] = SMOLLM2.checked_paths()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("llama") / "log"
    options = {"host": "127.0.0.1", "port": port, "model": model, "model_alias": NAME, "n_ctx": 2048}
    command = [str(PYTHON), "-m", "llama_cpp.server", "--api_key", KEY]
    command += [part for name, value in options.items() for part in (f"--{name}", str(value))]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}/v1"
    try:
        _wait_for(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(f"{url}/models", headers={"Authorization": f"Bearer {KEY}"}).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError(log.read_text(errors="replace")[-2000:])


def test_every_quote_of_a_small_model_stands_and_some_are_found(server, notes_index):
    settings = Settings.of(
        index=notes_index,
        language_model=server,
        model_name=NAME,
        language_model_key=KEY,
        reader="lexical",
        min_confidence=0,
        candidates=2,
        # unless told, this server makes a token less likely once it has been read: the opposite of quoting
        language_model_request={"repeat_penalty": 1.0, "max_tokens": 128},
        timeout_s=120,
    )
    service = open_service(settings)
    quotes = []
    for question in QUESTIONS:
        ask = Ask(question)
        told = response_of(answered(service, ask), ask, service)
        for citation in told.citations:
            text = service.pipeline.retriever.document(citation["document_id"]).text
            assert text[citation["start"] : citation["end"]] == citation["quote"]
            quotes.append(citation["quote"])
    assert quotes


def test_the_server_holds_the_form_that_is_asked_for(server):
    model = OpenAIServer(server, NAME, key=KEY, seconds=120)
    schema = {
        "type": "object",
        "properties": {"colour": {"type": "string", "enum": ["red", "blue"]}},
        "required": ["colour"],
        "additionalProperties": False,
    }
    [text] = model.texts(
        [{"role": "user", "content": "Tell me a long story about the sky."}],
        schema=schema,
        max_tokens=40,
        temperatures=[0.0],
        seed=0,
        deadline=Deadline.after(120),
    )
    assert json.loads(text)["colour"] in ("red", "blue")


def test_a_look_at_the_server_finds_nothing_to_complain_of_or_the_wrong_key(server):
    assert asyncio.run(OpenAIServer(server, NAME, key=KEY).complaint(seconds=10)) is None
    assert "wants another key" in asyncio.run(OpenAIServer(server, NAME, key="wrong").complaint(seconds=10))


def test_the_deadline_holds_while_it_writes(server):
    model = OpenAIServer(server, NAME, key=KEY, seconds=120)
    started = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        model.texts(
            [{"role": "user", "content": "Count from one to a thousand."}],
            schema={"type": "object"},
            max_tokens=1000,
            temperatures=[0.0],
            seed=0,
            deadline=Deadline.after(0.3),
        )
    assert time.monotonic() - started < 5  # it would write for longer
