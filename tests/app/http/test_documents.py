"""GET /documents: whole documents by ids of any kind."""

from dataclasses import replace
from urllib.parse import quote

import pytest
from rich.console import Console

from index_builder.build import build_index
from index_builder.corpora import open_corpus
from retriever.encoder import HashingEncoder
from retriever.index import open_index
from retriever.text.passages import PassageSettings
from tests.app.http.conftest import DOCUMENTS, service_of, serving


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.doc_id)
async def test_a_document_comes_back_character_for_character(client, document):
    response = await client.get(f"/documents/{quote(document.doc_id, safe='')}")
    assert response.status_code == 200
    assert response.json() == {
        "document_id": document.doc_id,
        "title": document.title,
        "text": document.text,
        "url": document.url,
        "source": None,
        "metadata": dict(document.metadata),
        "sha256": document.sha256,
        "attribution": [],
    }


async def test_a_document_carries_the_terms_of_the_index_as_an_answer_does(tmp_path):
    source = tmp_path / "n.jsonl"
    source.write_text('{"id": "a", "text": "The horse tram ran in Lisbon."}')
    settings, encoder = PassageSettings(words=20, continuation_words=20), HashingEncoder()
    corpora, console = [open_corpus(str(source))], Console(quiet=True)
    build_index(corpora, tmp_path / "i", encoder=encoder, settings=settings, strict=True, console=console)
    index = open_index(tmp_path / "i", encoder)
    terms = {"licence": "CC BY-SA 4.0", "attribution": "Ann", "snapshot": "2024"}
    [made_of] = index.manifest.sources
    manifest = index.manifest.model_copy(update={"sources": (made_of.model_copy(update=terms),)})
    service = service_of(replace(index, manifest=manifest), encoder)
    async with serving(lambda _: service) as client:
        document = (await client.get("/documents/a")).json()
        answer = (await client.post("/answer", json={"question": "where did the tram run"})).json()
    assert document["attribution"] == answer["attribution"] == [{"source": "n.jsonl", **terms}]


async def test_slashes_of_an_id_may_stay_as_they_are(client):
    response = await client.get("/documents/lighthouses/eddystone")
    assert response.json()["document_id"] == "lighthouses/eddystone"


@pytest.mark.parametrize("document_id", ["nobody/knows/me", "", "%", "lighthouses/eddystone/"])
async def test_an_unknown_id_is_404_with_a_sentence(client, document_id):
    response = await client.get(f"/documents/{quote(document_id, safe='')}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "urn:loccit:problem:document-not-found",
        "title": "There is no such document",
        "status": 404,
        "detail": f"No document has the id {document_id!r}; an answer's citations name ids that exist.",
        "request_id": response.headers["x-request-id"],
    }
