"""Answers over HTTP: every quote stands where the response says, abstaining is a response."""

import hashlib
from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest

from app.answering.composing.sentence_composer import SentenceComposer
from app.answering.options import AnswerLength
from tests.app.http.conftest import DOCUMENTS, service_over, serving

QUESTIONS = (
    "who designed the eiffel tower",
    "When did the first café of Vienna open?",
    "Who built the first tower on the Eddystone reef?",
    "How many tonnes of paint do the painters use?",
    "Wann wurde das erste Café in Wien eröffnet?",
    "维也纳第一家咖啡馆是什么时候开的？",
    "كم عدد الأبراج؟",
    "?",
    "\u200b",
)


async def document_of(client: httpx.AsyncClient, citation: dict) -> dict:
    response = await client.get(f"/documents/{quote(citation['document_id'], safe='')}")
    assert response.status_code == 200
    return response.json()


def assert_stands(citation: dict, text: str) -> None:
    start, end = citation["start"], citation["end"]
    before, after = citation["before"], citation["after"]
    assert text[start:end] == citation["quote"] != ""
    assert text[start - len(before) : start] == before
    assert text[end : end + len(after)] == after
    assert len(before) <= 160
    assert len(after) <= 160
    assert citation["document_sha256"] == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("question", QUESTIONS)
async def test_every_citation_stands_in_the_document_that_the_service_hands_out(client, question):
    response = await client.post("/answer", json={"question": question, "include": ["alternatives"]})
    assert response.status_code == 200
    body = response.json()
    others = [citation for other in body["alternatives"] for citation in other["citations"]]
    for citation in [*body["citations"], *body["nearest"], *others]:
        document = await document_of(client, citation)
        assert document["sha256"] == citation["document_sha256"]
        assert_stands(citation, document["text"])


async def test_an_answer_holds_its_quote_with_all_that_is_needed_to_check_it(client):
    body = (await client.post("/answer", json={"question": "who designed the eiffel tower"})).json()
    text = DOCUMENTS[0].text
    sentence = "It was designed by engineers of the company of Gustave Eiffel."
    assert body["answer"] == sentence
    assert (body["abstained"], body["abstain_reason"], body["nearest"]) == (False, None, [])
    assert 0.2 <= body["confidence"] <= 1
    [citation] = body["citations"]
    assert 0 <= citation.pop("support") <= 1
    assert citation == {
        "quote": sentence,
        "document_id": "towers/eiffel tower",
        "title": "Eiffel Tower",
        "url": "https://example.org/eiffel",
        "source": None,
        "start": text.index(sentence),
        "end": text.index(sentence) + len(sentence),
        "further": False,
        "document_sha256": DOCUMENTS[0].sha256,
        "locator": None,
        "before": "The Eiffel Tower is a lattice tower in Paris. ",
        "after": " 🗼 Painters give it sixty tonnes of paint every seven years.",
    }


async def test_an_answer_names_models_index_and_stages(client):
    body = (await client.post("/answer", json={"question": "who designed the eiffel tower"})).json()
    assert body["model"] == {
        "encoder": "hashing",
        "reader": "lexical",
        "reader_sha256": None,
        "language_model": None,
        "language_model_sha256": None,
        "adapter_sha256": None,
        "support": "LexicalSupport",
    }
    assert body["generation"] is None
    assert body["calibration"] is None
    stages = {"wait", "retrieve", "read", "generate", "cite", "support", "decide", "total"}
    assert set(body["timings_ms"]) == stages
    parts = sum(value for name, value in body["timings_ms"].items() if name != "total")
    assert body["timings_ms"]["total"] == pytest.approx(parts, abs=0.1)


async def test_a_long_answer_is_sentences_each_with_its_citation_and_keeps_the_short_one(client):
    asked = {"question": "who designed the eiffel tower"}
    short = (await client.post("/answer", json={**asked, "length": "short"})).json()
    body = (await client.post("/answer", json={**asked, "length": "long"})).json()
    assert body["short_answer"] == short["short_answer"] == short["answer"]
    assert body["confidence"] == short["confidence"]
    assert len(body["citations"]) > 1
    assert body["answer"] == " ".join(citation["quote"] for citation in body["citations"])
    for citation in body["citations"]:
        assert_stands(citation, DOCUMENTS[0].text)
    assert [one for one in body["citations"] if not one["further"]] == short["citations"]
    assert body["timings_ms"].keys() == {*short["timings_ms"], "compose"}


async def test_a_long_answer_from_a_document_with_odd_white_space_quotes_it_as_it_stands():
    service = service_over()
    generous = SentenceComposer(service.encoder, below=2.0)
    service = replace(service, pipeline=replace(service.pipeline, composer=generous))
    async with serving(lambda _: service) as client:
        asked = {"question": "When did the first café of Vienna open?", "length": "long"}
        body = (await client.post("/answer", json=asked)).json()
    assert len(body["citations"]) == 3
    for citation in body["citations"]:
        assert_stands(citation, DOCUMENTS[1].text)
    assert "\n" not in body["answer"]


async def test_a_service_set_to_long_answers_gives_short_ones_when_asked():
    service = service_over()
    options = replace(service.pipeline.options, length=AnswerLength.LONG)
    service = replace(service, pipeline=replace(service.pipeline, options=options))
    async with serving(lambda _: service) as client:
        asked = {"question": "who designed the eiffel tower"}
        assert len((await client.post("/answer", json=asked)).json()["citations"]) > 1
        assert len((await client.post("/answer", json={**asked, "length": "short"})).json()["citations"]) == 1


async def test_abstaining_is_a_response_with_a_reason_and_the_nearest_quotes(client):
    response = await client.post(
        "/answer", json={"question": "who designed the eiffel tower", "min_confidence": 1}
    )
    assert response.status_code == 200
    body = response.json()
    assert (body["answer"], body["abstained"], body["citations"]) == (None, True, [])
    assert body["short_answer"] is None
    assert body["abstain_reason"] == "low_confidence"
    assert 1 <= len(body["nearest"]) <= 3
    for citation in body["nearest"]:
        assert_stands(citation, (await document_of(client, citation))["text"])


async def test_a_threshold_of_zero_is_not_taken_for_none_given(client):
    body = (await client.post("/answer", json={"question": "zebras quux", "min_confidence": 0})).json()
    assert body["confidence"] < 0.2
    assert body["abstain_reason"] != "low_confidence"


async def test_hits_candidates_and_alternatives_come_only_when_included(client):
    asked = {"question": "who designed the eiffel tower"}
    optional = {"hits", "candidates", "alternatives"}
    assert optional & set((await client.post("/answer", json=asked)).json()) == set()
    for name in sorted(optional):
        body = (await client.post("/answer", json={**asked, "include": [name]})).json()
        assert optional & set(body) == {name}
    everything = (await client.post("/answer", json={**asked, "include": sorted(optional)})).json()
    assert optional <= set(everything)


async def test_hits_are_ranked_and_stand_in_their_documents(client):
    asked = {"question": "first tower", "include": ["hits", "candidates"], "top_k": 2}
    body = (await client.post("/answer", json=asked)).json()
    texts = {document.doc_id: document.text for document in DOCUMENTS}
    assert [hit["rank"] for hit in body["hits"]] == [1, 2]
    for hit in body["hits"]:
        assert texts[hit["document_id"]][hit["start"] : hit["end"]] == hit["text"]
    rows = {hit["row"] for hit in body["hits"]}
    assert {candidate["passage"]["row"] for candidate in body["candidates"]} <= rows


async def test_the_question_comes_back_with_its_white_space_tidied(client):
    asked = {"question": "  who\tdesigned\r\n the   eiffel\u2003tower "}
    body = (await client.post("/answer", json=asked)).json()
    assert body["question"] == "who designed the eiffel tower"


async def test_the_same_question_gets_the_same_answer(client):
    def without_times(response: httpx.Response) -> dict:
        return {name: value for name, value in response.json().items() if name != "timings_ms"}

    asked = {"question": "who built the first tower", "include": ["hits", "candidates", "alternatives"]}
    first, second = [await client.post("/answer", json=asked) for _ in range(2)]
    assert without_times(first) == without_times(second)


async def test_an_index_without_documents_abstains():
    async with serving(lambda _: service_over(documents=())) as client:
        body = (await client.post("/answer", json={"question": "who designed the eiffel tower"})).json()
        assert (body["abstained"], body["abstain_reason"]) == (True, "no_passages")
