"""Every document that can be indexed can be fetched, whatever characters its id holds."""

import asyncio
import json
import socket
import threading
from collections.abc import Collection
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from app.http.server import create_app
from app.service.assembly import AnswerService
from app.service.settings import GeneratorKind, Settings
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from retriever.document_ids import MAX_ID_CHARACTERS, id_problem
from retriever.encoder import HashingEncoder
from retriever.index import open_index
from retriever.text.passages import PassageSettings
from retriever.types import Document
from tests.app.http.conftest import service_of, service_over, serving

ADDRESSES = (
    "a",
    ".",
    "..",
    "/",
    "//",
    " ",
    "%",
    "%2F",
    "%00",
    "?",
    "#",
    "&",
    ";",
    "\\",
    ":",
    "+",
    "~",
    '"',
    "<",
)
CONTROLS = ("\n", "\r", "\r\n", "\0", "\x1b", "\x7f", "\x85", "\u2028", "\t")
LETTERS = ("é", "e\u0301", "😀", "👩‍👩‍👧", "\ufeff", "\u200f", "web", "health/live")
IDS = st.lists(st.sampled_from(ADDRESSES + CONTROLS + LETTERS), min_size=1, max_size=5).map("".join)


def address(doc_id: str) -> str:
    return f"/documents/{quote(doc_id, safe='')}"


def service_with(ids: Collection[str]) -> AnswerService:
    service = service_over(())
    for doc_id in ids:
        service.index.store.add(Document(doc_id, "T", f"The text of {doc_id!a}."), [], location="x")
    return service


async def texts_of(service: AnswerService, ids: Collection[str]) -> dict[str, str]:
    async with serving(lambda _: service) as client:
        return {doc_id: (await client.get(address(doc_id))).json()["text"] for doc_id in ids}


@given(st.sets(IDS, min_size=20, max_size=40))
@settings(max_examples=20)
def test_any_id_that_can_be_indexed_is_fetched(ids):
    ids = {doc_id for doc_id in ids if doc_id.strip() and id_problem(doc_id) is None}
    texts = asyncio.run(texts_of(service_with(ids), ids))
    assert texts == {doc_id: f"The text of {doc_id!a}." for doc_id in ids}


@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_server_itself_hands_every_character_on():
    ids = [*ADDRESSES, *CONTROLS, *LETTERS, "/a/../b", "a\n", "a", "//", "x" * MAX_ID_CHARACTERS]
    ids += ["😀" * MAX_ID_CHARACTERS]
    ids = [doc_id for doc_id in dict.fromkeys(ids) if id_problem(doc_id) is None]
    ready = threading.Event()
    app = create_app(
        Settings.of(generator=GeneratorKind.READER),
        open_service=lambda _: service_with(ids),
        on_ready=ready.set,
        on_failure=print,
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        assert ready.wait(20)
        with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}") as client:
            fetched = [client.get(address(doc_id)).json()["document_id"] for doc_id in ids]
    finally:
        server.should_exit = True
        thread.join(20)
    assert fetched == ids


async def test_what_cannot_be_fetched_is_not_indexed(tmp_path):
    ids, encoder = [".", "..", "x" * (MAX_ID_CHARACTERS + 1), "...", "a/.."], HashingEncoder()
    source = tmp_path / "n.jsonl"
    source.write_text("\n".join(json.dumps({"id": doc_id, "text": "A tower."}) for doc_id in ids))
    build_index(
        [open_corpus(str(source))],
        tmp_path / "i",
        encoder=encoder,
        settings=PassageSettings(),
        strict=False,
        console=Console(quiet=True),
    )
    index = open_index(tmp_path / "i", encoder)
    assert [document.doc_id for document, _ in index.store.each_document()] == ["...", "a/.."]
    texts = await texts_of(service_of(index, encoder), ["...", "a/.."])
    assert set(texts.values()) == {"A tower."}
