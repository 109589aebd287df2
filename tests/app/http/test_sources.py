"""Sources: what is cited or shown names its own, and their terms come with it, no others."""

import json
import threading
from pathlib import Path

import pytest
from rich.console import Console

from app.http import host
from app.service.api_keys import add_key
from app.service.assembly import AnswerService
from app.service.index_description import IndexResponse, index_response_of
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from retriever.encoder import HashingEncoder
from retriever.filters import Filter
from retriever.generations import current_generation
from retriever.index import open_index
from retriever.text.passages import PassageSettings
from tests.app.http.conftest import service_of, serving

ENCODER = HashingEncoder()
TEXTS = {
    "trams.jsonl": ("lisbon", "The horse tram ran in Lisbon."),
    "towers.jsonl": ("eddystone", "Henry Winstanley built a lighthouse at Eddystone."),
    "bread.jsonl": ("bread", "Bread is baked of flour and water."),
}
ASKED = {"question": "Where did the horse tram run?", "min_confidence": 0}


def terms(name: str) -> dict[str, str | None]:
    return {
        "source": name,
        "licence": f"licence of {name}",
        "attribution": f"Ann of {name}",
        "snapshot": None,
    }


def built(folder: Path, texts: dict[str, tuple[str, str]] = TEXTS) -> Path:
    sources = []
    for name, (doc_id, text) in texts.items():
        (folder / name).write_text(json.dumps({"id": doc_id, "text": text}))
        given = {key: terms(name)[key] for key in ("licence", "attribution")}
        (folder / f"{name}.terms.json").write_text(json.dumps(given))
        sources.append(open_corpus(str(folder / name)))
    settings, console = PassageSettings(words=20, continuation_words=20), Console(quiet=True)
    build_index(sources, folder / "i", encoder=ENCODER, settings=settings, strict=True, console=console)
    return folder / "i"


@pytest.fixture
def service(tmp_path) -> AnswerService:
    return service_of(open_index(built(tmp_path), ENCODER), ENCODER)


async def answer(service: AnswerService, **asked: object) -> dict:
    async with serving(lambda _: service) as client:
        return (await client.post("/answer", json={**ASKED, **asked})).json()


async def test_a_citation_names_its_source_and_only_its_terms_are_told(service):
    body = await answer(service)
    assert [citation["source"] for citation in body["citations"]] == ["trams.jsonl"]
    assert body["attribution"] == [terms("trams.jsonl")]


@pytest.mark.parametrize("included", ["hits", "candidates", "alternatives"])
async def test_what_is_included_names_its_source_and_its_terms_are_told(service, included):
    body = await answer(
        service, question="the horse tram in Lisbon, a lighthouse at Eddystone", include=[included]
    )
    shown = {
        "hits": [hit["source"] for hit in body.get("hits", [])],
        "candidates": [candidate["passage"]["source"] for candidate in body.get("candidates", [])],
        "alternatives": [one["citations"][0]["source"] for one in body.get("alternatives", [])],
    }[included]
    assert len({*shown, body["citations"][0]["source"]}) > 1
    cited = {citation["source"] for citation in body["citations"]}
    assert [one["source"] for one in body["attribution"]] == [
        name for name in TEXTS if name in {*shown, *cited}
    ]


async def test_an_abstention_tells_the_terms_of_its_nearest_quotes(service):
    body = await answer(service, min_confidence=1)
    assert body["abstained"]
    named = {citation["source"] for citation in body["nearest"]}
    assert named
    assert {one["source"] for one in body["attribution"]} == named


async def test_an_abstention_that_shows_nothing_attributes_nothing(service):
    body = await answer(service, documents=[{"text": " "}])
    assert (body["nearest"], body["attribution"]) == ([], [])


async def test_the_rival_answer_s_source_is_told_as_well(tmp_path):
    texts = {
        "one.jsonl": ("one", "The horse tram ran in Lisbon."),
        "two.jsonl": ("two", "The horse tram ran in Vienna."),
        "bread.jsonl": TEXTS["bread.jsonl"],
    }
    body = await answer(service_of(open_index(built(tmp_path, texts), ENCODER), ENCODER))
    [rival] = body["conflict"]["citations"]
    assert {body["citations"][0]["document_id"], rival["document_id"]} == {"one", "two"}
    assert body["conflict"]["answer"] != body["answer"]
    assert [one["source"] for one in body["attribution"]] == ["one.jsonl", "two.jsonl"]


async def test_a_document_comes_with_the_terms_of_its_own_source(service):
    async with serving(lambda _: service) as client:
        body = (await client.get("/documents/eddystone")).json()
    assert (body["source"], body["attribution"]) == ("towers.jsonl", [terms("towers.jsonl")])


async def test_a_search_names_sources_and_tells_their_terms(service):
    async with serving(lambda _: service) as client:
        body = (await client.get("/search", params={"q": "horse tram", "k": 1})).json()
    assert [hit["source"] for hit in body["hits"]] == ["trams.jsonl"]
    assert body["attribution"] == [terms("trams.jsonl")]


def forget_sources(service: AnswerService) -> None:
    """Make its index one of an earlier version, which did not record them."""
    service.index.store._connection.executescript(
        "PRAGMA temp_store = MEMORY; CREATE TEMP TABLE sources (document INTEGER PRIMARY KEY, name TEXT)"
    )


async def test_where_a_source_is_not_known_the_terms_of_all_are_told(service):
    forget_sources(service)
    body = await answer(service)
    assert body["citations"][0]["source"] is None
    assert body["attribution"] == [terms(name) for name in TEXTS]


async def test_where_a_source_is_not_known_a_limited_key_is_told_no_terms(service, tmp_path):
    forget_sources(service)
    key = add_key(tmp_path / "keys.json", "anna", allowed=Filter.by("document_id", "lisbon"))
    headers = {"Authorization": f"Bearer {key}"}
    chat = {"model": "loccit", "messages": [{"role": "user", "content": ASKED["question"]}]}
    async with serving(lambda _: service, key_file=tmp_path / "keys.json", min_confidence=0) as client:
        responses = [
            await client.post("/answer", json=ASKED, headers=headers),
            await client.post("/answer/stream", json=ASKED, headers=headers),
            await client.post("/answers", json={"questions": [ASKED]}, headers=headers),
            await client.post("/v1/chat/completions", json=chat, headers=headers),
            await client.get("/search", params={"q": "horse tram"}, headers=headers),
            await client.get("/documents/lisbon", headers=headers),
            await client.get("/indexes/current", headers=headers),
        ]
    for response in responses:
        assert response.status_code == 200
        assert [name for name in TEXTS if name in response.text] == []
    answered, *_, searched, document, described = (responses[n].json() for n in (0, 4, 5, 6))
    assert "Lisbon" in answered["citations"][0]["quote"]
    assert answered["attribution"] == searched["attribution"] == document["attribution"] == []
    assert (described["sources"], described["counts"]["documents"]) == ([], 1)


async def test_what_the_current_index_tells_is_worked_out_beside_the_event_loop(service, monkeypatch):
    threads = []

    def told(*given: object, **limit: object) -> IndexResponse:
        threads.append(threading.current_thread())
        return index_response_of(*given, **limit)

    monkeypatch.setattr(host, "index_response_of", told)
    async with serving(lambda _: service) as client:
        assert (await client.get("/indexes/current")).json()["counts"]["documents"] == 3
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()


async def test_the_current_index_tells_how_it_was_made_and_of_what(service, tmp_path):
    async with serving(lambda _: service) as client:
        body = (await client.get("/indexes/current")).json()
    folder = current_generation(tmp_path / "i")
    recorded = json.loads((folder / "manifest.json").read_text())
    del recorded["files"]
    fields = {"document_id": 3, "licence": 3, "source": 3}
    assert body == {"generation": folder.name, "fields": fields, **recorded}
    assert [source["name"] for source in body["sources"]] == list(TEXTS)
    assert body["sources"][0]["licence"] == "licence of trams.jsonl"
    assert body["counts"] == {"documents": 3, "passages": 3}
    assert body["passages"] == {"words": 20, "continuation_words": 20}
    assert (body["encoder"]["name"], body["vectors"]["engine"]) == ("hashing", "flat")


async def test_an_index_in_memory_has_nothing_to_tell(client):
    assert (await client.get("/indexes/current")).status_code == 500
