"""GET /documents: whole documents by ids of any kind."""

from urllib.parse import quote

import pytest

from tests.app.http.conftest import DOCUMENTS


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.doc_id)
async def test_a_document_comes_back_character_for_character(client, document):
    response = await client.get(f"/documents/{quote(document.doc_id, safe='')}")
    assert response.status_code == 200
    assert response.json() == {
        "document_id": document.doc_id,
        "title": document.title,
        "text": document.text,
        "url": document.url,
        "metadata": dict(document.metadata),
        "sha256": document.sha256,
    }


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
    }
