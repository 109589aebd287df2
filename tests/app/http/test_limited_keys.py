"""Who holds a limited key is told of no other documents, whatever they send and whichever way they ask."""

import json
from dataclasses import replace

import pytest

from app.service.api_keys import add_key
from retriever.filters import Filter
from retriever.types import Document
from tests.app.http.admission.test_api_key import bearer
from tests.app.http.conftest import service_over, serving
from tests.app.http.test_event_stream import events_of
from tests.app.http.test_requests import problem_of

QUESTION = "who keeps the light of the tower"
MARK = "zebra"
"""It stands in every part of the documents that the key hides, and in nothing that is asked."""
OPEN = tuple(
    Document(
        f"open/{number}",
        "Open tower",
        f"Anna keeps the light of the tower number {number}. The tower was built in {1700 + number}.",
        metadata={"team": ["a", "all"], "floor": number},
        source="open",
    )
    for number in range(3)
)
HIDDEN = tuple(
    Document(
        f"{MARK}/{number}",
        f"Tower of the {MARK}",
        f"The {MARK} keeps the light of the tower, who keeps the light. The {MARK} of the tower knows all.",
        f"https://example.org/{MARK}",
        {"team": "b", f"{MARK} field": 1, "floor": number},
        source=MARK,
    )
    for number in range(3)
)
EVERYTHING = {"min_confidence": 0, "top_k": 100, "include": ["hits", "candidates", "alternatives"]}
WIDENING = {
    "none": {},
    "null": {"filter": None},
    "its own": {"filter": {"team": "a"}},
    "another": {"filter": {"team": "b"}},
    "both": {"filter": {"team": ["a", "b"]}},
    "all values": {"filter": {"team": ["a", "all", "b", "*", ""]}},
    "empty": {"filter": {}},
    "list": {"filter": []},
    "list of filters": {"filter": [{"team": "a"}, {"team": "b"}]},
    "text": {"filter": "team=b"},
    "true": {"filter": True},
    "no values": {"filter": {"team": []}},
    "null value": {"filter": {"team": None}},
    "null among values": {"filter": {"team": ["a", None]}},
    "not": {"filter": {"team": {"$ne": "a"}}},
    "or": {"filter": {"$or": [{"team": "b"}]}},
    "nested list": {"filter": {"team": [["b"]]}},
    "case": {"filter": {"TEAM": "b"}},
    "look-alike": {"filter": {"t\u0435am": "b"}},
    "fullwidth": {"filter": {"\uff54eam": "b"}},
    "space": {"filter": {" team": "b"}},
    "no character": {"filter": {"team\0": "b"}},
    "surrogate": {"filter": {"\ud800": "\udc00"}},
    "shared field": {"filter": {"floor": [0, 1, 2]}},
    "number as text": {"filter": {"floor": "0"}},
    "another's name for it": {"allowed": None},
    "the key's name for it": {"key": {"filter": None}},
}


@pytest.fixture
def keys(tmp_path):
    return tmp_path / "keys.json"


@pytest.fixture
def limited(keys):
    return bearer(add_key(keys, "anna", allowed=Filter.of({"team": "a"})))


@pytest.fixture
def unlimited(keys):
    return bearer(add_key(keys, "bob"))


@pytest.fixture
async def client(keys, limited, unlimited):
    async with serving(lambda _: service_over((*HIDDEN, *OPEN)), key_file=keys) as client:
        yield client


def tells(text: str) -> bool:
    """Whether something of a hidden document is in it, however JSON writes it."""
    return MARK in text.lower()


async def asked(client, headers, body: str) -> list:
    """The responses to the same body: answered, told, in a batch."""
    headers = {**headers, "content-type": "application/json"}
    batch = f'{{"questions": [{body}, {body}]}}'
    return [
        await client.post("/answer", content=body, headers=headers),
        await client.post("/answer/stream", content=body, headers=headers),
        await client.post("/answers", content=batch, headers=headers),
    ]


async def test_without_the_limit_the_hidden_documents_are_what_is_told(client, unlimited):
    for response in await asked(client, unlimited, json.dumps({"question": QUESTION, **EVERYTHING})):
        assert response.status_code == 200
        assert tells(response.text)
    assert tells((await client.get(f"/search?q={QUESTION}", headers=unlimited)).text)
    assert (await client.get(f"/documents/{MARK}/0", headers=unlimited)).status_code == 200


@pytest.mark.parametrize("given", WIDENING.values(), ids=WIDENING)
async def test_no_body_widens_what_a_key_allows(client, limited, given):
    whole = {"question": QUESTION, **EVERYTHING, **given}
    answered, told, batch = await asked(client, limited, json.dumps(whole))
    for response in (answered, told, batch):
        assert not tells(response.text)
    if answered.status_code == 422:
        sentence = problem_of(answered, 422)["detail"]
        assert sentence.endswith(".")
        assert sentence.isprintable()
        assert told.json()["detail"] == sentence
        assert {item["problem"]["status"] for item in batch.json()["items"]} == {422}
    else:
        body = answered.json()
        assert {hit["document_id"] for hit in body["hits"]} <= {document.doc_id for document in OPEN}
        assert events_of(told.text)[-1][0] == "response"
        assert all("response" in item for item in batch.json()["items"])


@pytest.mark.parametrize(
    "document_id", [*(document.doc_id for document in HIDDEN), "ZEBRA/0", "open/0/../zebra/0"]
)
async def test_a_hidden_documents_id_finds_nothing(client, limited, document_id):
    for given in (document_id, [document_id], [document_id, "open/0"]):
        body = json.dumps({"question": QUESTION, **EVERYTHING, "filter": {"document_id": given}})
        for response in await asked(client, limited, body):
            assert response.status_code == 200
            assert not tells(response.text)
    abstained = (await asked(client, limited, body.replace(', "open/0"', "")))[0].json()
    assert (abstained["abstain_reason"], abstained["nearest"]) == ("no_passages", [])


@pytest.mark.parametrize(
    "fields",
    [
        '"filter": {"team": "a"}, "filter": {"team": "b"}',
        '"filter": {"team": "a"}, "filter": null',
        '"filter": {"team": "a", "team": "b"}',
        '"filter": {"team": "b", "team": ["a", "b"]}',
    ],
)
async def test_a_name_that_stands_twice_widens_nothing(client, limited, fields):
    body = f'{{"question": "{QUESTION}", "min_confidence": 0, "include": ["hits", "alternatives"], {fields}}}'
    for response in await asked(client, limited, body):
        assert not tells(response.text)


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "&filter=team=b",
        "&filter=team=a&filter=team=b",
        "&filter=team%3Db",
        "&filter=",
        "&filter==",
        "&filter=team",
        "&filter=Team=b",
        "&filter=t%D0%B5am=b",
        "&filter[]=team=b",
        "&filter[team]=b",
        "&filter=floor=0",
        "&filter={}",
        "&allowed=",
    ],
)
@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
async def test_no_search_widens_what_a_key_allows(client, limited, parameters, mode):
    response = await client.get(f"/search?q={QUESTION}&k=100&mode={mode}{parameters}", headers=limited)
    assert response.status_code in {200, 422}
    assert not tells(response.text)
    if response.status_code == 422:
        assert problem_of(response, 422)["detail"].isprintable()


async def test_a_hidden_document_is_answered_like_one_that_there_is_not(client, limited):
    for name in (f"{MARK}/0", "nothing/0"):
        problem = problem_of(await client.get(f"/documents/{name}", headers=limited), 404)
        assert (
            problem["detail"]
            == f"No document has the id '{name}'; an answer's citations name ids that exist."
        )
        assert problem["type"] == "urn:loccit:problem:document-not-found"
    assert (await client.get("/documents/open/0", headers=limited)).json()["text"] == OPEN[0].text


async def test_fields_of_hidden_documents_are_not_known_and_not_named(client, limited):
    for name in (f"{MARK} field", "another field"):
        body = {"question": QUESTION, "filter": {name: 1}}
        problem = problem_of(await client.post("/answer", json=body, headers=limited), 422)
        assert problem["detail"] == (
            f"The filter's field '{name}' is not known; known are 'document_id', 'source', 'floor', 'team'."
        )


async def test_documents_that_come_with_a_question_are_not_touched_by_the_limit(client, limited):
    body = {"question": QUESTION, "min_confidence": 0, "documents": [{"text": HIDDEN[0].text}]}
    response = (await client.post("/answer", json=body, headers=limited)).json()
    assert response["citations"][0]["document_id"] == "document-1"


async def test_a_limit_that_no_document_meets_allows_nothing(client, keys):
    nobody = bearer(add_key(keys, "carol", allowed=Filter.of({"tenant": "c"})))
    response = (
        await client.post("/answer", json={"question": QUESTION, **EVERYTHING}, headers=nobody)
    ).json()
    assert (response["abstain_reason"], response["hits"]) == ("no_passages", [])
    assert (await client.get(f"/search?q={QUESTION}", headers=nobody)).json()["hits"] == []
    problem_of(await client.get("/documents/open/0", headers=nobody), 404)


async def test_a_key_that_becomes_limited_is_so_at_the_next_request(client, keys, unlimited):
    assert tells((await client.get(f"/search?q={QUESTION}", headers=unlimited)).text)
    written = json.loads(keys.read_text())
    (bob,) = (key for key in written["keys"] if key["name"] == "bob")
    bob["filter"] = {"team": ["a"]}
    keys.write_text(json.dumps(written))
    assert not tells((await client.get(f"/search?q={QUESTION}", headers=unlimited)).text)


async def test_a_fitted_confidence_does_not_apply_within_a_limit(keys, limited):
    from app.answering.confidence.calibrator import Calibrator, FittedOn
    from app.service.ask import Ask, answered
    from app.service.calibration import Calibration
    from app.service.response import calibration_of

    service = service_over((*HIDDEN, *OPEN))
    fitted = Calibration.__new__(Calibration)
    object.__setattr__(fitted, "applies", True)
    calibrator = Calibrator(("support",), (0.0,), (1.0,), (1.0,), 0.0, FittedOn("f", "i", {}, {}, {}))
    object.__setattr__(fitted, "calibrator", calibrator)
    service = replace(service, calibration=fitted)
    only = Filter.of({"team": "a"})
    for ask, applies in (
        (Ask(QUESTION), True),
        (Ask(QUESTION, filter=only), False),
        (Ask(QUESTION, allowed=only), False),
    ):
        assert calibration_of(service, ask, answered(service, ask)).applies is applies
