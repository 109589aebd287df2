"""A running service for the adapters: `loccit serve` over the documents that docs/integrations.md shows.

``LOCCIT_PYTHON`` names the Python that has Loccit. In the environments of the frameworks it is another one.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.integrations.page import PAGE, ROOT, Example, Service, blocks_of_page

_START_S = 1_200.0  # a busy machine takes long to import what models need


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    [lines] = blocks_of_page("json", heading="A service to try them with")
    source = folder / "towers.jsonl"
    source.write_text(lines, encoding="utf-8")
    texts = {told["id"]: told["text"] for told in map(json.loads, lines.splitlines())}
    _loccit("index", "build", source, "--out", folder / "index")
    key = _loccit("keys", "add", "ann", "--key-file", folder / "keys.json").strip().split()[-1]
    log = folder / "log"
    with log.open("w") as file:
        process = subprocess.Popen(
            _command(
                "serve",
                "--index",
                folder / "index",
                "--port",
                0,
                "--reader",
                "small",
                "--generator",
                "reader",
            ),
            cwd=ROOT,
            env={**os.environ, "LOCCIT_KEY_FILE": str(folder / "keys.json")},
            stdout=file,
            stderr=file,
        )
    try:
        url = _said(log, process, r"Listening on (http://127\.0\.0\.1:\d+)")
        _said(log, process, "(Ready to answer)")
        yield Service(url, key, texts)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def key_in_environment(service, monkeypatch):
    monkeypatch.setenv("LOCCIT_API_KEY", service.key)


@pytest.fixture
def printed(service, key_in_environment, capsys):
    """What an example prints when it asks the running service."""

    def run(example: Example) -> str:
        exec(
            compile(example.code.replace("http://127.0.0.1:8000", service.url), str(PAGE), "exec"),
            {"__name__": "page"},
        )
        return capsys.readouterr().out

    return run


def _command(*arguments: object) -> list[str]:
    python = os.environ.get("LOCCIT_PYTHON", sys.executable)
    return [python, "-m", "app.cli", *map(str, arguments)]


def _loccit(*arguments: object) -> str:
    done = subprocess.run(_command(*arguments), cwd=ROOT, capture_output=True, text=True, timeout=_START_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _said(log: Path, process: subprocess.Popen, pattern: str) -> str:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if said := re.search(pattern, log.read_text()):
            return said[1]
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise AssertionError(f"The service did not say {pattern!r}:\n{log.read_text()}")
