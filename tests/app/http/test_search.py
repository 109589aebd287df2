"""GET /search: passages with their places, found in the worker, without any language model."""

import asyncio

import pytest

from retriever.retriever import IndexRetriever
from retriever.types import RetrievalMode
from tests.app.http.conftest import DOCUMENTS, service_over, serving
from tests.app.http.test_requests import problem_of
from tests.app.http.test_serving import HeldGenerator, ask

QUERY = "first tower on the Eddystone reef"


async def test_hits_are_those_of_retrieval_with_their_places_in_the_stored_document(client):
    response = await client.get("/search", params={"q": f"  {QUERY}\n", "k": 3})
    assert response.status_code == 200
    body = response.json()
    service = service_over()
    expected = IndexRetriever(service.index, service.encoder).retrieve(QUERY, k=3)
    assert (body["query"], body["mode"], body["generation"]) == (QUERY, "hybrid", None)
    assert [(hit["row"], hit["score"], hit["rank"]) for hit in body["hits"]] == [
        (hit.passage.row, hit.score, rank) for rank, hit in enumerate(expected, start=1)
    ]
    texts = {document.doc_id: document for document in DOCUMENTS}
    for hit in body["hits"]:
        document = texts[hit["document_id"]]
        assert document.text[hit["start"] : hit["end"]] == hit["text"] != ""
        assert (hit["title"], hit["url"], hit["source"]) == (document.title, document.url, None)


@pytest.mark.parametrize("mode", RetrievalMode)
async def test_the_mode_says_which_search(client, mode):
    body = (await client.get("/search", params={"q": QUERY, "k": 9, "mode": mode})).json()
    service = service_over()
    expected = IndexRetriever(service.index, service.encoder, mode=mode).retrieve(QUERY, k=9)
    assert body["mode"] == mode
    assert [(hit["row"], hit["score"]) for hit in body["hits"]] == [
        (hit.passage.row, hit.score) for hit in expected
    ]


async def test_mode_and_number_are_the_settings_unless_given(client):
    assert len((await client.get("/search", params={"q": QUERY})).json()["hits"]) == 5
    async with serving(lambda _: service_over(), top_k=2, retrieval="lexical") as other:
        body = (await other.get("/search", params={"q": QUERY})).json()
    assert (len(body["hits"]), body["mode"]) == (2, "lexical")


async def test_a_query_that_nothing_is_near_finds_nothing_and_attributes_nothing(client):
    body = (await client.get("/search", params={"q": "zzz", "mode": "lexical"})).json()
    assert (body["hits"], body["attribution"]) == ([], [])


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("/search", "The parameter q is missing, but it must be a text of 1 to 2,000 characters."),
        ("/search?q=+", "The question is blank; ask something in 1 to 2,000 characters."),
        ("/search?q=a%00", "The question holds the control character U+0000 at offset 1; leave it out."),
        ("/search?q=a&k=0", "The parameter k is '0', but it must be a whole number from 1 to 100."),
        ("/search?q=a&k=101", "The parameter k is '101', but it must be a whole number from 1 to 100."),
        ("/search?q=a&k=ten", "The parameter k is 'ten', but it must be a whole number from 1 to 100."),
        (
            "/search?q=a&mode=fast",
            "The parameter mode is 'fast', but it must be one of hybrid, dense, lexical.",
        ),
        ("/search?q=a&top_k=3", "The parameter 'top_k' is not known; known are q, k, mode, filter."),
    ],
)
async def test_a_wrong_parameter_is_refused_with_a_sentence(client, address, sentence):
    problem = problem_of(await client.get(address), 422)
    assert problem["type"] == "urn:loccit:problem:invalid-request"
    assert problem["detail"] == sentence


async def test_a_search_takes_its_turn_and_is_bounded_like_a_question():
    held = HeldGenerator()
    async with serving(lambda _: service_over(generator=held), max_waiting=1, timeout_s=5) as client:
        answering = ask(client)
        await held.wait_until_entered()
        searching = asyncio.create_task(client.get("/search", params={"q": QUERY}))
        await asyncio.sleep(0.05)
        assert not searching.done()
        assert (await client.get("/health/live")).status_code == 200
        busy = problem_of(await client.get("/search", params={"q": QUERY}), 503)
        assert busy["type"] == "urn:loccit:problem:busy"
        held.released.set()
        assert (await searching).status_code == (await answering).status_code == 200


async def test_a_search_whose_turn_does_not_come_in_time_is_504():
    held = HeldGenerator()
    async with serving(lambda _: service_over(generator=held), timeout_s=0.5) as client:
        answering = ask(client)
        await held.wait_until_entered()
        problem_of(await client.get("/search", params={"q": QUERY}), 504)
        held.released.set()
        await answering
