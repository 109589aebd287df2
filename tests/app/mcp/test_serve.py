"""`loccit mcp` as a process of its own, over standard input and output and over HTTP."""

import json
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from app.http.running.listening import listening
from app.mcp.serve import serve_index
from app.service.settings import Settings
from common.errors import InvalidRequestError
from tests.app.mcp.conftest import ENVIRONMENT, QUESTION, QUOTE, WITHOUT_WEIGHTS, command
from tests.server_process import ROOT, running

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

STARTING_S = 300.0  # a busy machine takes long to import what models need


def parameters(*options: object) -> StdioServerParameters:
    program, *arguments = command(*options)
    return StdioServerParameters(command=program, args=arguments, env=ENVIRONMENT, cwd=ROOT)


async def quotes_told(client: Client) -> list[str]:
    result = await client.call_tool("answer", {"question": QUESTION, "min_confidence": 0})
    assert not result.is_error, result.content
    return [quote["quote"] for quote in result.structured_content["quotes"]]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_over_standard_input_and_output_it_answers_from_an_index(tools_index, tmp_path, mode):
    with (tmp_path / "log").open("w") as log:
        transport = stdio_client(parameters("--index", tools_index, *WITHOUT_WEIGHTS), errlog=log)
        async with Client(transport, mode=mode, read_timeout_seconds=STARTING_S) as client:
            assert await quotes_told(client) == [QUOTE]
    assert "answer outcome=answered" in (tmp_path / "log").read_text()


async def test_over_standard_input_and_output_it_forwards_to_a_service(tools_index, tmp_path):
    with running(tools_index) as server, (tmp_path / "log").open("w") as log:
        async with Client(
            stdio_client(parameters("--url", server.url), errlog=log), read_timeout_seconds=STARTING_S
        ) as client:
            assert await quotes_told(client) == [QUOTE]
        assert "POST" in server.log


def test_standard_output_carries_nothing_but_the_protocol_and_ends_with_the_input(tools_index):
    """A program that begins by printing, as a library might, and prints whenever it answers."""
    noisy = (
        "import os, sys\nfrom app.answering.pipeline import Pipeline\nfrom app.cli import main\n"
        "run = Pipeline.run\n"
        "def loud(*given, **options):\n"
        "    print('noise'); sys.stdout.flush(); os.write(1, b'more noise\\n')\n"
        "    return run(*given, **options)\n"
        "Pipeline.run = loud\n"
        f"sys.argv = ['loccit', 'mcp', '--index', {str(tools_index)!r}, *{WITHOUT_WEIGHTS!r}]\n"
        "main()\n"
    )
    asked = [
        {
            "method": "initialize",
            "id": 1,
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            },
        },
        {"method": "notifications/initialized"},
        {"method": "tools/call", "id": 2, "params": {"name": "answer", "arguments": {"question": QUESTION}}},
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", noisy],
        cwd=ROOT,
        env={**ENVIRONMENT, "PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for message in asked:
        process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    process.stdin.flush()
    lines = [process.stdout.readline(), process.stdout.readline()]
    rest, log = process.communicate(timeout=STARTING_S)  # closes the input
    assert [json.loads(line)["id"] for line in lines] == [1, 2]
    assert json.loads(lines[1])["result"]["structuredContent"]["quotes"][0]["quote"] == QUOTE
    assert rest == ""
    assert log.count("noise") >= 2
    assert process.returncode == 0


@contextmanager
def over_http(log, *options: object):
    with log.open("w") as file:
        process = subprocess.Popen(
            command(*options, "--port", 0),
            cwd=ROOT,
            env={**ENVIRONMENT, "PATH": "/usr/bin:/bin"},
            stderr=file,
            stdout=subprocess.PIPE,
        )
    try:
        end = time.monotonic() + STARTING_S
        while (said := re.search(r"Serving tools at (\S+)", log.read_text())) is None:
            assert time.monotonic() < end, log.read_text()
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield said[1], process
    finally:
        process.kill()
        process.wait()


async def test_over_http_it_answers_until_it_is_told_to_stop(tools_index, tmp_path):
    with over_http(tmp_path / "log", "--index", tools_index, *WITHOUT_WEIGHTS) as (url, process):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/mcp", url)
        async with Client(url, read_timeout_seconds=STARTING_S) as client:
            assert await quotes_told(client) == [QUOTE]
        other = httpx.post(url, json={}, headers={"host": "evil.example"})
        assert other.status_code == 421
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    assert output == b""
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_a_port_that_is_taken_is_told_before_the_index_is_opened(tools_index, monkeypatch):
    opened = []
    monkeypatch.setattr("app.mcp.serve.index_backend", lambda host: opened.append(host))
    settings = Settings.of(index=tools_index, generator="reader", reader="lexical")
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidRequestError, match=f"port {port} cannot be listened on"):
            serve_index(settings, port=port)
        ended = subprocess.run(
            command("--index", tools_index, *WITHOUT_WEIGHTS, "--port", port),
            cwd=ROOT,
            env={**ENVIRONMENT, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=STARTING_S,
            check=False,
        )
    assert opened == []
    assert (ended.returncode, ended.stdout) == (1, "")
    assert f"port {port} cannot be listened on" in ended.stderr


@pytest.mark.parametrize(("error", "status"), [(None, 0), (OSError("The disk is gone."), 1)])
def test_a_host_still_at_work_is_left_with_the_status_and_the_sentence(
    tools_index, monkeypatch, caplog, error, status
):
    class Left(BaseException):
        pass

    def left(status):
        raise Left(status)

    def serving(*given, **options):
        if error is not None:
            raise error

    monkeypatch.setattr("app.mcp.serve._serve", serving)
    monkeypatch.setattr("app.http.host.Host.at_work", True)
    monkeypatch.setattr("app.mcp.serve.logging.shutdown", lambda: None)
    monkeypatch.setattr("app.mcp.serve.os._exit", left)
    with pytest.raises(Left) as ended:
        serve_index(Settings.of(index=tools_index, generator="reader", reader="lexical"), port=None)
    assert ended.value.args == (status,)
    assert [record.getMessage() for record in caplog.records] == (
        [f"The tools are served no more: {error}"] if error else []
    )


def test_mistakes_are_told_before_anything_is_served(loccit, tmp_path, monkeypatch):
    status, out, said = loccit("mcp", "--index", tmp_path / "none")
    assert (status, out) == (1, "")
    assert "There is no index in" in said
    status, _, said = loccit("mcp", "--url", "http://127.0.0.1:1", "--length", "long")
    assert (status, "The options --length do not count with --url" in said) == (1, True)
    monkeypatch.setattr("app.cli.find_spec", lambda _: None)
    status, _, said = loccit("mcp", "--index", tmp_path / "none")
    assert (status, "run `pip install 'loccit[mcp]'`" in said) == (1, True)
