"""The LlamaIndex query engine before a running service."""

import asyncio
import json

import pytest
from loccit_client import InvalidRequestError, UnauthorizedError

from tests.integrations.page import ASKED, QUOTE, UNANSWERED, examples_of_page

pytest.importorskip("llama_index.core")

from llama_index.core.base.response.schema import Response
from llama_index.core.schema import MetadataMode
from llama_index.core.tools import QueryEngineTool
from loccit_client.llamaindex import LoccitQueryEngine

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture(params=["query", "aquery"])
def queried(request, service):
    """What an engine gives, with and without asyncio."""

    def query(text, **options):
        engine = LoccitQueryEngine(service.url, api_key=service.key, **options)
        if request.param == "query":
            return engine.query(text)

        async def once():
            try:
                return await engine.aquery(text)
            finally:
                await engine.aclose()

        return asyncio.run(once())

    return query


@pytest.mark.parametrize("example", examples_of_page("LlamaIndex"))
def test_the_page_prints_what_it_says(example, printed):
    assert printed(example) == example.printed


def test_the_sources_of_a_response_are_the_quotes(queried, service):
    told = queried(ASKED)
    assert isinstance(told, Response)
    assert str(told) == told.response == "Henry Winstanley"
    [source] = told.source_nodes
    node = source.node
    assert node.text == QUOTE
    assert service.texts["eddystone"][node.start_char_idx : node.end_char_idx] == QUOTE
    assert node.ref_doc_id == "eddystone"
    assert source.score == node.metadata["support"]
    meta = node.metadata
    assert service.texts["eddystone"][meta["start"] : meta["end"]] == meta["quote"] == QUOTE
    assert (meta["document_id"], meta["title"], meta["url"]) == (
        "eddystone",
        "Eddystone Lighthouse",
        "https://example.org/eddystone",
    )
    assert (meta["abstained"], told.metadata["abstained"]) == (False, False)
    assert 0.5 < meta["confidence"] == told.metadata["confidence"] <= 1
    assert json.loads(json.dumps(told.metadata)) == told.metadata


def test_a_node_tells_a_model_its_title_but_no_digest(queried):
    [source] = queried(ASKED).source_nodes
    read = source.node.get_content(MetadataMode.LLM)
    assert "Eddystone Lighthouse" in read
    assert source.node.metadata["document_sha256"] not in read
    assert read.count(QUOTE) == 1


def test_an_abstention_is_a_state_with_the_nearest_quotes(queried, service):
    told = queried(UNANSWERED)
    assert (told.response, told.source_nodes) == (None, [])
    assert (told.metadata["abstained"], told.metadata["abstain_reason"]) == (True, "low_confidence")
    nearest = told.metadata["nearest"][0]
    assert service.texts[nearest["document_id"]][nearest["start"] : nearest["end"]] == nearest["quote"]
    assert queried(ASKED, min_confidence=0.999).response is None


def test_settings_reach_the_service(queried):
    told = queried(ASKED, filter={"document_id": "eiffel"}, top_k=1, length="short")
    cited = [*told.metadata["citations"], *told.metadata["nearest"]]
    assert {citation["document_id"] for citation in cited} == {"eiffel"}


def test_what_the_service_refuses_is_raised_with_its_sentence(service, queried, monkeypatch):
    with pytest.raises(InvalidRequestError, match="The question is blank"):
        queried(" ")
    monkeypatch.delenv("LOCCIT_API_KEY", raising=False)
    with pytest.raises(UnauthorizedError, match="wants an API key"):
        LoccitQueryEngine(service.url).query(ASKED)


def test_it_is_a_tool_of_an_agent(service, key_in_environment):
    tool = QueryEngineTool.from_defaults(LoccitQueryEngine(service.url), name="towers", description="Towers.")
    told = tool.call(ASKED)
    assert told.content == "Henry Winstanley"
    assert told.raw_output.source_nodes[0].node.text == QUOTE
