"""The process that serves: an index on disk, mistakes shown before it listens, failures that end it."""

import asyncio
import hashlib
import json
import signal
import socket
import subprocess
import sys

import pytest

from app.http import server
from app.http.running.listening import listening
from app.http.server import run_server, stop_process
from app.service.assembly import open_service
from app.service.settings import Settings
from common.errors import IndexUnusableError, InvalidRequestError, ModelUnusableError
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from retriever.encoder import HashingEncoder
from retriever.text.passages import PassageSettings
from tests.app.http.conftest import DOCUMENTS, serving
from tests.app.http.test_answers import assert_stands
from tests.app.http.test_requests import ASKED


@pytest.fixture
def directory(tmp_path, quiet):
    """An index folder over ``DOCUMENTS``."""
    file = tmp_path / "towers.jsonl"
    lines = [
        json.dumps({"id": one.doc_id, "title": one.title, "text": one.text, "url": one.url, **one.metadata})
        for one in DOCUMENTS
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    directory = tmp_path / "index"
    build_index(
        [open_corpus(str(file))],
        directory,
        encoder=HashingEncoder(),
        settings=PassageSettings(),
        strict=True,
        console=quiet,
    )
    return directory


async def test_an_index_on_disk_is_named_and_attributed(directory):
    async with serving(open_service, index=directory, min_confidence=0) as client:
        body = (await client.post("/answer", json=ASKED)).json()
        [citation] = body["citations"]
        document = (await client.get(f"/documents/{citation['document_id']}")).json()
        assert_stands(citation, document["text"])
        assert document["sha256"] == hashlib.sha256(document["text"].encode()).hexdigest()
        generation = (directory / "CURRENT").read_text().strip()
        assert body["generation"] == generation
        assert body["attribution"] == [
            {"source": "towers.jsonl", "licence": None, "attribution": None, "snapshot": None}
        ]
        assert (await client.get("/health/ready")).json()["generation"] == generation


async def test_documents_can_be_fetched_by_many_while_answers_are_found(directory):
    async with serving(open_service, index=directory, timeout_s=600) as client:

        async def fetch(number: int) -> None:
            document = DOCUMENTS[number % 3]
            path = document.doc_id.replace("%", "%25").replace("?", "%3F").replace("#", "%23")
            assert (await client.get(f"/documents/{path}")).json()["text"] == document.text

        async def ask(number: int) -> None:
            question = f"{DOCUMENTS[number % 3].title} {number}"
            assert (await client.post("/answer", json={"question": question})).status_code == 200

        await asyncio.gather(*(fetch(n) for n in range(150)), *(ask(n) for n in range(30)))


def test_a_missing_index_is_told_before_listening(tmp_path):
    with pytest.raises(IndexUnusableError, match=r"There is no index in .*; build one with"):
        run_server(Settings.of(index=tmp_path), host="127.0.0.1", port=0)


def test_a_missing_model_is_told_before_listening(directory):
    with pytest.raises(ModelUnusableError, match="no/such-model"):
        run_server(Settings.of(index=directory, language_model="no/such-model"), host="127.0.0.1", port=0)
    with pytest.raises(ModelUnusableError, match="no/such-encoder"):
        run_server(
            Settings.of(index=directory, encoder="no/such-encoder", generator="reader"),
            host="127.0.0.1",
            port=0,
        )


@pytest.mark.enable_socket
def test_a_response_does_not_wait_for_the_acknowledgement_of_its_first_part():
    with (
        listening("127.0.0.1", 0) as opened,
        socket.create_connection(opened.getsockname()),
        opened.accept()[0] as connection,
    ):
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.enable_socket
def test_a_host_that_there_is_not_is_told_in_words():
    with pytest.raises(InvalidRequestError) as refusal:
        listening("no..host", 0)
    assert str(refusal.value) == (
        "no..host port 0 cannot be listened on (Name or service not known); give another --host or --port."
    )


@pytest.mark.enable_socket
def test_a_port_in_use_is_told(directory):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidRequestError, match=f"127.0.0.1 port {port} cannot be listened on"):
            run_server(Settings.of(index=directory, generator="reader"), host="127.0.0.1", port=port)


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("host", "key_file", "warnings"),
    [("0.0.0.0", None, 1), ("0.0.0.0", "keys.json", 0), ("127.0.0.1", None, 0), ("localhost", None, 0)],
)
def test_only_beyond_loopback_and_without_keys_it_warns(host, key_file, warnings, caplog):
    with listening(host, 0) as opened:
        server._warn_where_open(Settings.of(key_file=key_file), opened)
    assert len(caplog.records) == warnings


def test_a_service_that_fails_to_open_ends_the_process_with_the_sentence(directory):
    """The manifest is there, so it listens; the vectors are damaged, so it cannot go on."""
    generation = directory / "generations" / (directory / "CURRENT").read_text().strip()
    (generation / "vectors.faiss").write_bytes(b"damaged")
    program = (
        "import sys\nfrom app.cli import main\n"
        f"sys.argv = ['loccit', 'serve', '--index', {str(directory)!r}, '--generator', 'reader', '--port', '0']\n"
        "main()\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 1
    assert "vectors.faiss is not the file that was built" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_another_way_a_failure_terminates_the_process():
    received = []
    previous = signal.signal(signal.SIGTERM, lambda *arguments: received.append(arguments[0]))
    try:
        stop_process(RuntimeError("no weights"))
    finally:
        signal.signal(signal.SIGTERM, previous)
    assert received == [signal.SIGTERM]
