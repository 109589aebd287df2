"""Answers from documents handed in with the question: offsets count in the texts as given."""

import hashlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.app.http.conftest import DOCUMENTS, service_over, serving
from tests.app.http.test_answers import assert_stands

TRICKY = (
    "\ufeffOpening\r\nhours 👩‍👩‍👧\r\n\r\nThe cafe\u0301 opens at nine. 🇫🇷🇫🇷 It closes at ten!\u2028Dogs are "
    "welcome.\tNo smoking.\r\n"
)


async def test_offsets_count_in_the_text_as_given(client):
    asked = {
        "question": "When does the café close?",
        "min_confidence": 0,
        "documents": [
            {"document_id": "a/b c", "title": "Hours", "text": TRICKY, "url": "https://example.org"}
        ],
    }
    response = await client.post("/answer", json=asked)
    assert response.status_code == 200
    body = response.json()
    [citation] = body["citations"]
    assert "closes at ten" in citation["quote"]
    assert_stands(citation, TRICKY)
    assert (citation["document_id"], citation["title"]) == ("a/b c", "Hours")
    assert citation["url"] == "https://example.org"


async def test_documents_handed_in_are_all_that_is_read(client):
    asked = {
        "question": "who designed the eiffel tower",
        "documents": [{"text": "Bread is baked from flour."}, {"text": "The tower was designed by bees."}],
        "min_confidence": 0,
        "include": ["hits", "alternatives"],
    }
    body = (await client.post("/answer", json=asked)).json()
    assert body["citations"][0]["document_id"] == "document-2"
    assert {hit["document_id"] for hit in body["hits"]} <= {"document-1", "document-2"}
    assert (body["generation"], body["attribution"]) == (None, [])
    assert body["timings_ms"]["index"] > 0


async def test_documents_handed_in_are_not_kept(client):
    asked = {"question": "Which bees?", "documents": [{"document_id": "bees", "text": "Bees hum."}]}
    await client.post("/answer", json=asked)
    assert (await client.get("/documents/bees")).status_code == 404
    assert (await client.get("/documents/towers/eiffel tower")).status_code == 200


@pytest.mark.parametrize("text", ["", " \r\n\t "])
async def test_a_text_without_words_is_abstained_on(client, text):
    body = (await client.post("/answer", json={"question": "What?", "documents": [{"text": text}]})).json()
    assert (body["abstained"], body["abstain_reason"]) == (True, "no_passages")


async def refused(client, documents, **more) -> str:
    response = await client.post("/answer", json={"question": "What?", "documents": documents, **more})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    return response.json()["detail"]


async def test_no_documents_at_all_are_refused(client):
    assert await refused(client, []) == (
        "The list of documents is empty; give at least one, or leave documents out."
    )


async def test_two_documents_of_one_id_are_refused(client):
    documents = [{"document_id": "a", "text": "x"}, {"text": "y"}, {"document_id": "a", "text": "z"}]
    assert await refused(client, documents) == (
        "Documents 1 and 3 have the same id 'a'; give each its own, or none."
    )


async def test_an_id_may_not_repeat_one_made_up_for_another(client):
    documents = [{"document_id": "document-2", "text": "x"}, {"text": "y"}]
    assert await refused(client, documents) == (
        "Documents 1 and 2 have the same id 'document-2'; give each its own, or none."
    )


async def test_twenty_documents_are_accepted_and_21_refused(client):
    documents = [{"text": f"Number {number}."} for number in range(21)]
    response = await client.post("/answer", json={"question": "What?", "documents": documents[:20]})
    assert response.status_code == 200
    assert await refused(client, documents) == "21 documents were given, but at most 20 are accepted."


async def test_the_characters_are_counted_over_all_documents():
    async with serving(lambda _: service_over(), max_document_characters=10) as client:
        fits = [{"text": "😀" * 5}, {"text": "abcde"}]
        response = await client.post("/answer", json={"question": "What?", "documents": fits})
        assert response.status_code == 200
        assert await refused(client, [*fits, {"text": "!"}]) == (
            "The documents have 11 characters in all, but at most 10 are accepted."
        )


async def test_200_000_characters_are_accepted_by_default_and_one_more_refused(client):
    assert await refused(client, [{"text": "x" * 200_001}]) == (
        "The documents have 200,001 characters in all, but at most 200,000 are accepted."
    )


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        (
            "text",
            "The text of document 2 holds the lone surrogate U+D83D at offset 2; "
            "a character needs both halves of its pair.",
        ),
        (
            "title",
            "The field documents[1].title holds the lone surrogate U+D83D at offset 2, "
            "but it must be a text of at most 1,000 characters.",
        ),
    ],
)
async def test_a_lone_surrogate_is_refused(client, field, sentence):
    documents = [{"text": "ok"}, {"text": "ok", field: "ab\ud83d"}]
    body = json.dumps({"question": "What?", "documents": documents})
    response = await client.post("/answer", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert response.json()["detail"] == sentence


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({}, "The field documents[0].text is missing, but it must be a text."),
        ({"text": None}, "The field documents[0].text is None, but it must be a text."),
        (
            {"text": "x", "titel": "y"},
            "The field 'titel' is not known in documents[0]; known are document_id, ",
        ),
        (
            {"text": "x", "document_id": ""},
            "The field documents[0].document_id has 0 characters, but it must ",
        ),
        (
            {"text": "x", "title": "y" * 1001},
            "The field documents[0].title has 1,001 characters, but it must ",
        ),
        ("x", "The field documents[0] is 'x', but it must be an object with a text."),
    ],
)
async def test_each_field_of_a_document_is_checked(client, document, sentence):
    assert (await refused(client, [document])).startswith(sentence)


TEXTS = st.text(alphabet="ab. !?\r\n\u0301\u200d\u2028\ufeff😀🇫é中か。ب", min_size=1, max_size=120)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TEXTS, min_size=1, max_size=4), st.sampled_from(["a b", "é", "中か", "ab ba?"]))
async def test_whatever_the_texts_every_quote_stands_in_them(texts, question):
    async with serving(lambda _: service_over(DOCUMENTS[:1])) as client:
        asked = {
            "question": question,
            "documents": [{"text": text} for text in texts],
            "min_confidence": 0,
            "include": ["alternatives", "hits"],
        }
        response = await client.post("/answer", json=asked)
    assert response.status_code == 200
    body = response.json()
    named = {f"document-{number}": text for number, text in enumerate(texts, start=1)}
    others = [citation for other in body["alternatives"] for citation in other["citations"]]
    for citation in [*body["citations"], *body["nearest"], *others]:
        assert_stands(citation, named[citation["document_id"]])
    for hit in body["hits"]:
        assert named[hit["document_id"]][hit["start"] : hit["end"]] == hit["text"]


MARKED_UP = {
    "markdown": "---\ntitle: Hours\n---\n\n# Shop\n\nThe **shop** closes at [ten](x.md).\n",
    "html": "<meta charset=latin-1><title>Hours</title><nav>never</nav><h1>Shop</h1><p>The <b>shop</b> closes at ten.",
}


@pytest.mark.parametrize("format", MARKED_UP)
async def test_a_document_in_another_format_is_quoted_as_a_reader_sees_it(client, format):
    asked = {
        "question": "When does the shop close?",
        "min_confidence": 0,
        "documents": [
            {"document_id": "shop", "text": MARKED_UP[format], "format": format},
            {"document_id": "plain", "text": "**Bees** hum."},
        ],
    }
    body = (await client.post("/answer", json=asked)).json()
    [read] = body["documents"]
    assert (read["document_id"], read["text"]) == ("shop", "Shop\n\nThe shop closes at ten.")
    assert read["title"] == {"markdown": "Hours", "html": "Shop"}[format]
    assert read["sha256"] == hashlib.sha256(read["text"].encode()).hexdigest()
    [citation] = body["citations"]
    assert citation["quote"] == "The shop closes at ten."
    assert citation["locator"] == {"markdown": "line 7", "html": None}[format]
    assert citation["document_sha256"] == read["sha256"]
    assert_stands(citation, read["text"])


async def test_plain_text_keeps_its_marks_and_is_not_sent_back(client):
    asked = {"question": "When does the shop close?", "min_confidence": 0}
    text = "The **shop** closes at ten."
    for document in ({"text": text}, {"text": text, "format": "text"}):
        body = (await client.post("/answer", json={**asked, "documents": [document]})).json()
        assert body["citations"][0]["quote"] == text
        assert "documents" not in body


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"text": "a", "format": "pdf"}, "text, markdown or html"),
        (
            {"text": "<div>" * 2000, "format": "html"},
            "The document 'document-1' cannot be read: The page nests",
        ),
        ({"text": "x", "format": None}, "text, markdown or html"),
    ],
)
async def test_a_format_that_does_not_fit_is_a_sentence(document, problem):
    async with serving(lambda _: service_over(), max_document_characters=10_000) as client:
        response = await client.post("/answer", json={"question": "What?", "documents": [document]})
    assert response.status_code == 422
    assert problem in response.json()["detail"]
