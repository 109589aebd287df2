"""The LangChain tool and retrievers before a running service."""

import asyncio
import json

import pytest
from loccit_client import InvalidRequestError

from tests.integrations.page import ASKED, QUOTE, UNANSWERED, examples_of_page

pytest.importorskip("langchain_core")

from langchain_core.documents import Document
from langchain_core.load import dumps
from langchain_core.messages import ToolMessage
from langchain_core.tools import ToolException
from loccit_client.langchain import LoccitQuoteRetriever, LoccitRetriever, LoccitTool

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


@pytest.fixture(params=["invoke", "ainvoke"])
def invoked(request, service):
    """What a runnable of this class gives, with and without asyncio."""

    def invoke(made, given, **options):
        runnable = made(url=service.url, api_key=service.key, **options)
        if request.param == "invoke":
            return runnable.invoke(given)

        async def once():
            try:
                return await runnable.ainvoke(given)
            finally:
                await runnable.aclose()

        return asyncio.run(once())

    return invoke


def call(question):
    return {"name": "loccit", "args": {"question": question}, "id": "7", "type": "tool_call"}


@pytest.mark.parametrize("example", examples_of_page("LangChain"))
def test_the_page_prints_what_it_says(example, printed):
    assert printed(example) == example.printed


def test_the_artifact_of_the_tool_has_the_citations_and_its_content_is_for_the_model(invoked, service):
    message = invoked(LoccitTool, call(ASKED))
    assert isinstance(message, ToolMessage)
    assert (message.tool_call_id, message.name, message.status) == ("7", "loccit", "success")
    [citation] = message.artifact["citations"]
    text = service.texts["eddystone"]
    assert text[citation["start"] : citation["end"]] == citation["quote"] == QUOTE
    assert (citation["document_id"], citation["title"], citation["url"]) == (
        "eddystone",
        "Eddystone Lighthouse",
        "https://example.org/eddystone",
    )
    assert message.artifact["abstained"] is False
    assert 0.5 < message.artifact["confidence"] <= 1
    assert json.loads(json.dumps(message.artifact)) == message.artifact
    read = json.loads(message.content)
    assert (read["answer"], read["abstained"]) == ("Henry Winstanley", False)
    assert [quote["quote"] for quote in read["quotes"]] == [QUOTE]


def test_an_abstention_is_a_state_in_the_content_and_in_the_artifact(invoked, service):
    message = invoked(LoccitTool, call(UNANSWERED))
    read = json.loads(message.content)
    assert (read["answer"], read["abstained"], read["abstain_reason"]) == (None, True, "low_confidence")
    assert read["quotes"] == message.artifact["citations"] == []
    nearest = message.artifact["nearest"][0]
    assert service.texts[nearest["document_id"]][nearest["start"] : nearest["end"]] == nearest["quote"]
    assert invoked(LoccitQuoteRetriever, UNANSWERED) == []


def test_what_the_service_refuses_is_told_to_the_model_or_raised(invoked):
    with pytest.raises(ToolException, match="The question is blank"):
        invoked(LoccitTool, call(" "))
    message = invoked(LoccitTool, call(" "), handle_tool_error=True)
    assert (message.status, message.artifact) == ("error", None)
    assert message.content.startswith("The question is blank")
    with pytest.raises(InvalidRequestError, match="The question is blank"):
        invoked(LoccitQuoteRetriever, " ")


def test_a_quote_is_a_document_with_the_answer_it_backs(invoked, service):
    [document] = invoked(LoccitQuoteRetriever, ASKED, min_confidence=0.1, filter={"year": 1698})
    assert isinstance(document, Document)
    meta = document.metadata
    assert document.page_content == meta["quote"] == QUOTE
    assert service.texts["eddystone"][meta["start"] : meta["end"]] == QUOTE
    assert (meta["answer"], meta["abstained"], meta["title"]) == (
        "Henry Winstanley",
        False,
        "Eddystone Lighthouse",
    )
    assert 0 < meta["support"] <= 1
    assert json.loads(json.dumps(meta)) == meta
    assert invoked(LoccitQuoteRetriever, ASKED, min_confidence=0.999) == []


def test_passages_are_documents_with_their_place_rank_and_score(invoked, service):
    first, second = invoked(LoccitRetriever, "a reef south of Plymouth", k=2, mode="lexical")[:1] * 2
    assert first == second
    meta = first.metadata
    assert service.texts["eddystone"][meta["start"] : meta["end"]] == first.page_content
    assert (meta["rank"], meta["document_id"], meta["url"]) == (
        1,
        "eddystone",
        "https://example.org/eddystone",
    )
    assert meta["score"] > 0
    assert len(invoked(LoccitRetriever, "tower", k=1)) == 1
    only = invoked(LoccitRetriever, "tower", filter={"document_id": "eiffel"})
    assert [found.metadata["document_id"] for found in only] == ["eiffel"]


@pytest.mark.parametrize("made", [LoccitTool, LoccitQuoteRetriever, LoccitRetriever])
def test_a_key_comes_from_the_environment_and_is_shown_nowhere(made, service, key_in_environment):
    runnable = made(url=service.url)
    assert runnable.api_key.get_secret_value() == service.key
    assert service.key not in repr(runnable)
    assert service.key not in dumps(runnable)
    assert service.key not in str(runnable.model_dump())


def test_a_model_is_told_of_the_question_alone():
    assert set(LoccitTool().args) == {"question"}


async def test_several_are_asked_at_once(service):
    tool = LoccitTool(url=service.url, api_key=service.key)
    told = await asyncio.gather(*(tool.ainvoke(call(ASKED)) for _ in range(3)))
    assert {message.artifact["answer"] for message in told} == {"Henry Winstanley"}
    await tool.aclose()
