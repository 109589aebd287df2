"""POST /check: an answer's quotes and claims checked in the worker, bounded as the other routes are."""

import pytest

from app.http.wire.check import MAX_ANSWER_CHARACTERS, MAX_CHECKED
from tests.app.http.conftest import DOCUMENTS, called, service_over, serving
from tests.app.http.test_requests import problem_of
from tests.growth import assert_linear

EDDYSTONE = "lighthouses/eddystone"
ANSWER = 'It "stands on a reef south of Plymouth" [1], and "a great whale destroyed it in 1703" [1].'
SOURCES = [{"mark": "1", "document_id": EDDYSTONE}]


async def check(client, **body):
    return await client.post("/check", json=body)


async def test_an_answer_is_checked_against_the_index(client):
    response = await check(client, answer=ANSWER, sources=SOURCES)
    assert response.status_code == 200
    body = response.json()
    real, changed = body["quotes"]
    assert (real["verdict"], real["document_ids"], real["likeness"]) == ("verbatim", [EDDYSTONE], 1.0)
    (span,) = real["found"]["spans"]
    assert (
        DOCUMENTS[2].text[span["start"] : span["end"]] == span["text"] == "stands on a reef south of Plymouth"
    )
    assert ANSWER[real["place"]["start"] : real["place"]["end"]] == span["text"]
    assert (changed["verdict"], changed["found"]["spans"][0]["text"]) == (
        "fabricated",
        "A great storm destroyed it in 1703.",
    )
    assert body["verdicts"] == {
        "verbatim": 1,
        "nearly": 0,
        "from_another_document": 0,
        "fabricated": 1,
        "too_short": 0,
    }
    assert [claim["quotes"] for claim in body["claims"]] == [[1, 2]]
    assert set(body["timings_ms"]) == {"wait", "read", "check", "support", "total"}


async def test_an_answer_is_checked_against_the_documents_handed_in(client):
    documents = [
        {"id": "a", "text": "The tower fell."},
        {"document_id": "b", "text": "It was in the year 1703."},
    ]
    body = (
        await check(
            client, answer='"It was in the year 1703" [1]. “the tower fell down” [3]', documents=documents
        )
    ).json()
    assert [(quote["verdict"], quote["document_ids"]) for quote in body["quotes"]] == [
        ("from_another_document", ["a"]),
        ("fabricated", []),
    ]
    assert body["quotes"][0]["found"]["document_id"] == "b"
    assert [mark["mark"] for mark in body["unresolved_marks"]] == ["[3]"]
    assert (body["searched"], body["generation"], body["attribution"]) == (
        {"documents": 2, "index": False, "complete": True},
        None,
        [],
    )


async def test_quotes_and_claims_come_in_fields(client):
    claim = {
        "claim": "It is south of Plymouth",
        "document_ids": [EDDYSTONE],
        "quotes": [{"quote": "south of Plymouth"}],
    }
    body = (
        await check(client, quotes=[{"quote": "a lattice tower", "document_id": "nowhere"}], claims=[claim])
    ).json()
    assert [quote["verdict"] for quote in body["quotes"]] == ["from_another_document", "verbatim"]
    assert body["quotes"][0]["unknown_document_ids"] == ["nowhere"]
    assert body["claims"][0]["evidence"]["document_id"] == EDDYSTONE


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"answer": 5}, "The field answer is 5, but it must be a text of at most 50,000 characters."),
        (
            {"answer": "x" * (MAX_ANSWER_CHARACTERS + 1)},
            "The field answer has 50,001 characters, but it must be a text",
        ),
        ({"anwser": "x"}, "The field 'anwser' is not known; known are answer, question, quotes"),
        (
            {"quotes": [{}]},
            "The field quotes[0].quote is missing, but it must be a text of at most 50,000 characters.",
        ),
        (
            {"claims": [{"claim": "x", "quotes": [{"quote": 1}]}]},
            "The field claims[0].quotes[0].quote is 1, but",
        ),
        (
            {"claims": [{"claim": "x", "document_ids": [""]}]},
            "The field claims[0].document_ids[0] has 0 characters",
        ),
        (
            {"sources": [{"mark": "1"}]},
            "The field sources[0].document_id is missing, but it must be a text of 1 to",
        ),
        (
            {"sources": {"1": "a"}},
            "The field sources is {'1': 'a'}, but it must be a list of at most 200 objects",
        ),
        ({"documents": []}, "The list of documents is empty; give at least one"),
        (
            {"documents": [{"id": "a", "text": ""}, {"id": "a", "text": ""}]},
            "Documents 1 and 2 have the same id 'a'",
        ),
        ({"documents": [{"text": "x" * 200_001}]}, "The documents have 200,001 characters in all"),
        (
            {"answer": '"a b c d" ' * (MAX_CHECKED + 1)},
            "The answer has 201 quotes, but at most 200 are checked at once",
        ),
        (
            {
                "answer": "a" * 20_000,
                "quotes": [{"quote": "b" * 50_000}],
                "claims": [{"claim": "c" * 30_000, "quotes": [{"quote": "d"}]}],
            },
            "The answer, its quotes and its claims have 100,001 characters, but at most 100,000 are checked at once; "
            "send them in parts.",
        ),
    ],
)
async def test_what_is_not_acceptable_is_told_in_one_sentence(client, body, sentence):
    assert problem_of(await check(client, **body), 422)["detail"].startswith(sentence)


async def test_a_check_is_counted_by_verdict(client):
    await check(client, answer=ANSWER)
    metrics = (await client.get("/metrics")).text
    assert 'loccit_checked_quotes_total{verdict="verbatim"} 1.0' in metrics
    assert 'loccit_checked_quotes_total{verdict="fabricated"} 1.0' in metrics
    assert 'loccit_requests_total{route="/check",status="200"} 1.0' in metrics


async def test_the_time_allowed_ends_a_check():
    async with serving(lambda _: service_over(), timeout_s=1e-9) as client:
        problem_of(await check(client, answer=ANSWER), 504)


@pytest.mark.parametrize("letter", ["a", "“", "> ", "東", "a b "])
def test_a_hostile_check_takes_time_in_proportion_to_its_length(letter):
    with called(lambda _: service_over()) as call:

        def checked(characters: int) -> None:
            answer = '"' + letter * (characters // len(letter) // 5) + '"'
            documents = [{"text": letter * (characters // len(letter))}]
            response = call("POST", "/check", json={"answer": answer, "documents": documents})
            assert response.status_code in (200, 422)

        assert_linear(checked, 200_000)
