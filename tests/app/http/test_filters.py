"""Filters of requests: answers, streams, batches and searches are of the documents that match alone."""

import pytest

from retriever.types import Document
from tests.app.http.conftest import service_over, serving
from tests.app.http.test_event_stream import events_of
from tests.app.http.test_requests import problem_of, refused

QUESTION = "when was the boiler serviced"
DOCUMENTS = tuple(
    Document(
        f"{house}/{year}",
        f"House {house}",
        f"The boiler was serviced in {month} of the year {year}.",
        metadata={"house": house, "year": year},
    )
    for house, year, month in (("north", 2023, "March"), ("north", 2024, "April"), ("south", 2024, "October"))
)


@pytest.fixture
async def client():
    async with serving(lambda _: service_over(DOCUMENTS)) as client:
        yield client


def shown(response: dict) -> set[str]:
    return {hit["document_id"] for hit in response["hits"]}


FOUND = [
    ({"house": "north"}, {"north/2023", "north/2024"}),
    ({"house": "north", "year": 2024}, {"north/2024"}),
    ({"house": ["north", "south"], "year": [2024.0]}, {"north/2024", "south/2024"}),
    ({"document_id": "south/2024"}, {"south/2024"}),
    ({"year": "2024"}, set()),
    ({"house": "east"}, set()),
    (None, {"north/2023", "north/2024", "south/2024"}),
]


@pytest.mark.parametrize(("wanted", "expected"), FOUND)
async def test_answers_are_from_the_documents_that_match(client, wanted, expected):
    body = {"question": QUESTION, "filter": wanted, "include": ["hits", "alternatives"], "min_confidence": 0}
    response = (await client.post("/answer", json=body)).json()
    assert shown(response) == expected
    quoted = [response, *response["alternatives"], *filter(None, [response["conflict"]])]
    cited = {citation["document_id"] for part in quoted for citation in part["citations"]}
    assert cited <= expected
    assert bool(cited) is bool(expected)
    assert response["abstain_reason"] == (None if expected else "no_passages")
    *_, (name, told) = events_of((await client.post("/answer/stream", json=body)).text)
    assert (name, shown(told)) == ("response", expected)


async def test_each_question_of_a_batch_has_its_own(client):
    asked = [{"question": QUESTION, "filter": wanted, "include": ["hits"]} for wanted, _ in FOUND]
    bad = {"question": QUESTION, "filter": {"garden": 1}}
    items = (await client.post("/answers", json={"questions": [*asked, bad]})).json()["items"]
    assert [shown(item["response"]) for item in items[:-1]] == [expected for _, expected in FOUND]
    assert items[-1]["problem"]["detail"] == (
        "The filter's field 'garden' is not known; known are 'document_id', 'house', 'year'."
    )


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("filter=house=north", {"north/2023", "north/2024"}),
        ("filter=house=north&filter=year=2024", {"north/2024"}),
        ("filter=house=north&filter=house=south&filter=year=2024", {"north/2024", "south/2024"}),
        ('filter=year="2024"', set()),
        ("", {"north/2023", "north/2024", "south/2024"}),
    ],
)
async def test_searches_are_of_the_documents_that_match(client, mode, parameters, expected):
    response = await client.get(f"/search?q={QUESTION}&mode={mode}&{parameters}")
    assert shown(response.json()) == expected


async def test_a_search_by_an_unknown_field_or_without_a_value_is_refused(client):
    problem = problem_of(await client.get("/search?q=a&filter=garden=1"), 422)
    assert (
        problem["detail"]
        == "The filter's field 'garden' is not known; known are 'document_id', 'house', 'year'."
    )
    problem = problem_of(await client.get("/search?q=a&filter=garden"), 422)
    assert problem["detail"] == "The filter 'garden' must be a field and a value, such as source=handbook."
    many = "&filter=house=a" * 1001
    assert problem_of(await client.get(f"/search?q=a{many}"), 422)["detail"].endswith(
        "such as source=handbook."
    )


async def test_a_bad_filter_is_refused_before_a_stream_begins(client):
    body = {"question": QUESTION, "filter": {"garden": 1}}
    problem = problem_of(await client.post("/answer/stream", json=body), 422)
    assert (
        problem["detail"]
        == "The filter's field 'garden' is not known; known are 'document_id', 'house', 'year'."
    )


async def test_a_filter_and_documents_together_are_refused(client):
    body = {"question": QUESTION, "filter": {"house": "north"}, "documents": [{"text": "A boiler."}]}
    assert await refused(client, body) == (
        "A filter is about documents of the index, but documents came with the question; leave out one of them."
    )
