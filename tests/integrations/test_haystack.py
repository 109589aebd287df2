"""The Haystack component before a running service."""

import asyncio
import json

import pytest
from loccit_client import Client, InvalidRequestError, UnauthorizedError

from tests.integrations.page import ASKED, QUOTE, UNANSWERED, examples_of_page

pytest.importorskip("haystack")

from haystack import Pipeline
from haystack.core.errors import DeserializationError
from haystack.dataclasses import ExtractedAnswer, GeneratedAnswer
from haystack.utils import Secret
from loccit_client.haystack import LoccitAnswerer

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture(autouse=True)
def _no_telemetry(monkeypatch):
    monkeypatch.setattr("haystack.telemetry._telemetry.telemetry", None)


@pytest.fixture(params=["run", "run_async"])
def asked(request, service):
    """What a pipeline with the component gives, with and without asyncio."""

    def ask(query, *, given=None, **options):
        pipeline = pipeline_of(LoccitAnswerer(service.url, api_key=Secret.from_token(service.key), **options))
        data = {"loccit": {"query": query, **(given or {})}}
        if request.param == "run":
            return pipeline.run(data)["loccit"]

        async def once():
            try:
                return (await pipeline.run_async(data))["loccit"]
            finally:
                await pipeline.close_async()

        return asyncio.run(once())

    return ask


def pipeline_of(component):
    pipeline = Pipeline()
    pipeline.add_component("loccit", component)
    return pipeline


@pytest.mark.parametrize("example", examples_of_page("Haystack"))
def test_the_page_prints_what_it_says(example, printed):
    assert printed(example) == example.printed


def test_an_answer_has_its_quotes_in_haystacks_own_types(asked, service):
    told = asked(ASKED)
    [answer], [quote], [document] = told["answers"], told["quotes"], told["documents"]
    assert isinstance(answer, GeneratedAnswer)
    assert isinstance(quote, ExtractedAnswer)
    assert (answer.data, answer.query, answer.documents) == ("Henry Winstanley", ASKED, [document])
    assert told["abstained"] is False
    assert (quote.data, quote.document) == (QUOTE, document)
    offset = quote.document_offset
    assert document.content[offset.start : offset.end] == QUOTE
    assert quote.context[quote.context_offset.start : quote.context_offset.end] == QUOTE
    assert document.content in service.texts["eddystone"]
    meta = quote.meta
    assert service.texts["eddystone"][meta["start"] : meta["end"]] == QUOTE == meta["quote"]
    assert (meta["document_id"], meta["title"], meta["url"]) == (
        "eddystone",
        "Eddystone Lighthouse",
        "https://example.org/eddystone",
    )
    assert (meta["abstained"], meta["abstain_reason"]) == (False, None)
    assert 0.5 < quote.score == meta["confidence"] == answer.meta["confidence"] <= 1
    assert meta["confidence_is_a_probability"] is False
    assert document.score == meta["support"]
    assert [cited["quote"] for cited in answer.meta["citations"]] == [QUOTE]


def test_answers_survive_haystacks_own_serialisation(asked):
    told = asked(ASKED)
    [answer], [quote] = told["answers"], told["quotes"]
    assert GeneratedAnswer.from_dict(json.loads(json.dumps(answer.to_dict()))) == answer
    assert ExtractedAnswer.from_dict(json.loads(json.dumps(quote.to_dict()))) == quote


def test_an_abstention_is_a_state_with_the_nearest_quotes(asked, service):
    told = asked(UNANSWERED)
    assert (told["answers"], told["quotes"], told["documents"], told["abstained"]) == ([], [], [], True)
    assert (told["meta"]["answer"], told["meta"]["abstain_reason"]) == (None, "low_confidence")
    nearest = told["meta"]["nearest"][0]
    assert service.texts[nearest["document_id"]][nearest["start"] : nearest["end"]] == nearest["quote"]


def test_what_is_given_with_a_query_goes_before_what_the_component_was_made_with(asked):
    assert asked(ASKED, min_confidence=0.999)["abstained"]
    assert not asked(ASKED, min_confidence=0.999, given={"min_confidence": 0.1})["abstained"]
    elsewhere = asked(ASKED, filter={"year": [1698, 1700]}, given={"filter": {"document_id": "eiffel"}})
    assert {nearest["document_id"] for nearest in elsewhere["meta"]["nearest"]} == {"eiffel"}


def test_what_the_service_refuses_is_raised_with_its_sentence(service):
    stranger = LoccitAnswerer(service.url, api_key=None)
    with pytest.raises(UnauthorizedError, match="wants an API key"):
        stranger.run(ASKED)
    known = LoccitAnswerer(service.url, api_key=Secret.from_token(service.key))
    with pytest.raises(InvalidRequestError, match="The question is blank"):
        known.run(" ")


def test_a_pipeline_is_saved_and_loaded_without_its_key(service, key_in_environment):
    component = LoccitAnswerer(
        service.url, timeout=20, top_k=4, min_confidence=0.4, length="short", filter={"year": (1698, 1889)}
    )
    written = pipeline_of(component).dumps()
    assert service.key not in written
    assert "LOCCIT_API_KEY" in written
    with pytest.raises(DeserializationError, match="allowlist"):
        Pipeline.loads(written)
    loaded = Pipeline.loads(written, allowed_modules=["loccit_client.haystack"])
    again = loaded.get_component("loccit")
    assert again.to_dict() == component.to_dict()
    assert (again.timeout, again.top_k, again.filter) == (20, 4, {"year": [1698, 1889]})
    assert loaded.run({"loccit": {"query": ASKED}})["loccit"]["quotes"][0].data == QUOTE


def test_a_key_in_clear_is_not_saved(service):
    with pytest.raises(ValueError, match="Cannot serialize token-based secret"):
        LoccitAnswerer(service.url, api_key=Secret.from_token(service.key)).to_dict()


def test_one_component_answers_in_one_event_loop_after_another_and_after_it_was_closed(
    service, key_in_environment
):
    component = LoccitAnswerer(service.url)

    async def ask():
        told = [await component.run_async(ASKED) for _ in range(2)]
        await component.close_async()
        return [one["quotes"][0].data for one in told]

    assert [asyncio.run(ask()) for _ in range(2)] == [[QUOTE] * 2] * 2
    assert component.run(ASKED)["answers"][0].data == "Henry Winstanley"
    component.close()
    component.close()
    assert component.run(ASKED)["answers"][0].data == "Henry Winstanley"


def test_its_quotes_are_those_of_the_client_and_stand_in_the_served_document(asked, service):
    with Client(service.url, api_key=service.key) as client:
        told = client.answer(ASKED)
        told.citations[0].verify(client.document("eddystone"))
    meta = asked(ASKED)["quotes"][0].meta
    assert (meta["quote"], meta["document_sha256"]) == (
        told.citations[0].quote,
        told.citations[0].document_sha256,
    )
