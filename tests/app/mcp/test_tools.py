"""The tools before the SDK's own client, over an index and over a running service."""

import hashlib
from contextlib import asynccontextmanager

import pytest
from mcp import Client, MCPError

from app.http.host import Host
from app.mcp.index_backend import index_backend
from app.mcp.service_backend import service_backend
from app.mcp.tools import TAKEN, tools_over
from app.service.assembly import open_service
from app.service.settings import Settings
from tests.app.mcp.conftest import QUESTION, QUOTE, TEXTS
from tests.server_process import running

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

ODD = "../trams & co"


@asynccontextmanager
async def over_index(index):
    settings = Settings.of(index=index, generator="reader", reader="lexical", min_confidence=0.2)
    async with index_backend(Host(settings, open_service)) as backend, Client(tools_over(backend)) as client:
        yield client


@asynccontextmanager
async def over_service(url):
    async with service_backend(url, api_key=None) as backend, Client(tools_over(backend)) as client:
        yield client


@pytest.fixture(scope="module")
def service(tools_index):
    with running(tools_index, min_confidence=0.2) as server:
        yield server.url


class Tools:
    """Calls tools through a client."""

    def __init__(self, client):
        self.client = client

    async def __call__(self, name, **arguments):
        """The tool's structured content, or the sentence with which it failed."""
        result = await self.client.call_tool(name, arguments)
        if not result.is_error:
            return result.structured_content
        [said] = result.content
        return said.text


@pytest.fixture(params=["index", "service"])
def opening(request, tools_index):
    """Opens tools over the index, or over a service that runs."""

    url = None if request.param == "index" else request.getfixturevalue("service")

    @asynccontextmanager
    async def opened():
        async with over_index(tools_index) if url is None else over_service(url) as client:
            yield Tools(client)

    return opened


async def test_an_answer_comes_with_quotes_that_stand_in_their_documents(opening):
    async with opening() as tools:
        told = await tools("answer", question=QUESTION, min_confidence=0)
        assert (told["abstained"], told["why_abstained"]) == (False, None)
        assert told["kind"] == "short"
        assert told["short_answer"] == told["answer"]
        assert told["confidence_is_a_probability"] is False
        [quote] = told["quotes"]
        assert quote["quote"] == QUOTE == TEXTS["towers"][quote["start"] : quote["end"]]
        assert quote["document_id"] == "towers"


async def test_it_abstains_with_its_reason_and_calls_the_nearest_quotes_so(opening):
    async with opening() as tools:
        told = await tools("answer", question=QUESTION, min_confidence=1)
        assert (told["answer"], told["abstained"], told["quotes"]) == (None, True, [])
        assert told["why_abstained"] == "it is not sure enough of its best answer"
        assert [quote["quote"] for quote in told["nearest_quotes"]]


async def test_a_long_answer_has_a_quote_for_each_sentence(opening):
    async with opening() as tools:
        told = await tools(
            "answer",
            question="first Eddystone tower in 1698 a storm took it in 1703",
            length="long",
            min_confidence=0,
        )
        assert len(told["quotes"]) > 1
        assert told["answer"] == " ".join(quote["quote"] for quote in told["quotes"])
        assert told["short_answer"] in told["answer"]
        assert len(told["short_answer"]) < len(told["answer"])


async def test_the_length_may_be_what_the_question_asks_for(opening):
    async with opening() as tools:
        told = [
            await tools("answer", question=QUESTION, length=length, min_confidence=0)
            for length in ("auto", "short")
        ]
    assert [(each["answer"], each["kind"]) for each in told] == [(told[0]["short_answer"], "short")] * 2


async def test_a_search_gives_passages_with_their_places(opening):
    async with opening() as tools:
        told = await tools("search", query="electric trams", k=1)
        [passage] = told["passages"]
        assert passage["document_id"] == ODD
        assert TEXTS[ODD][passage["start"] : passage["end"]] == passage["text"]


async def test_a_document_is_read_whole_or_in_part_by_any_id(opening):
    async with opening() as tools:
        whole = await tools("get_document", document_id=ODD)
        text = TEXTS[ODD]
        assert (whole["text"], whole["start"], whole["end"]) == (text, 0, len(text))
        assert whole["characters"] == len(text)
        assert whole["sha256"] == hashlib.sha256(text.encode()).hexdigest()
        part = await tools("get_document", document_id=ODD, start=2, characters=5)
        assert (part["text"], part["start"], part["end"], part["characters"]) == (text[2:7], 2, 7, len(text))
        beyond = await tools("get_document", document_id=ODD, start=10_000)
        assert (beyond["text"], beyond["start"], beyond["end"]) == ("", len(text), len(text))


def spans_of(real):
    """The spans of real text, each compared with its document."""
    assert all(
        TEXTS[real["document_id"]][span["start"] : span["end"]] == span["text"] for span in real["spans"]
    )
    return [(span["start"], span["end"]) for span in real["spans"]]


@pytest.mark.parametrize(
    ("quote", "document_id", "verdict", "folds", "found"),
    [
        ("😀 It was", "towers", "verbatim", [], ("towers", [(83, 91)])),
        ("1873.\r\nElectric", None, "verbatim", [], (ODD, [(30, 45)])),
        ("1873. Electric", ODD, "verbatim", ["white_space"], (ODD, [(30, 45)])),
        (
            "Winstanley built ... in 1698",
            "towers",
            "verbatim",
            ["omissions"],
            ("towers", [(6, 22), (49, 56)]),
        ),
        ("first Eddystone tower in 1699.", "towers", "nearly", [], ("towers", [(27, 57)])),
        ("A storm took it", ODD, "from_another_document", [], ("towers", [(58, 73)])),
        ("A storm took it", "gone", "from_another_document", [], ("towers", [(58, 73)])),
        ("horse by horse the keepers ran away", None, "fabricated", [], (ODD, [(0, 19)])),
        ("\u0007?", "towers", "fabricated", [], None),
    ],
)
async def test_a_quote_gets_the_checkers_verdict_and_the_real_text(
    opening, quote, document_id, verdict, folds, found
):
    async with opening() as tools:
        told = await tools("check_quotes", quotes=[{"quote": quote, "document_id": document_id}])
    [checked] = told["quotes"]
    assert (checked["number"], checked["quote"]) == (1, quote)
    assert (checked["verdict"], checked["folds"]) == (verdict, folds)
    assert {name for name, count in told["verdicts"].items() if count} == {verdict}
    real = checked["found"]
    assert (real and (real["document_id"], spans_of(real))) == found
    if real is not None:
        assert (real["title"], real["url"], real["place"]) == (real["document_id"], None, None)


async def test_a_whole_answer_and_claims_are_checked_too(opening):
    answer = 'He "built the first Eddystone tower in 1698" [1]. It was "red" [2].\n\n[1]: towers'
    claim = {
        "claim": "A tram ran.",
        "document_ids": [ODD],
        "quotes": [{"quote": "A horse tram ran in Lisbon in 1872."}],
    }
    async with opening() as tools:
        told = await tools("check_quotes", answer=answer, claims=[claim], quotes=[{"quote": "A storm"}])
    assert [(quote["number"], quote["quote"], quote["verdict"]) for quote in told["quotes"]] == [
        (1, "built the first Eddystone tower in 1698", "verbatim"),
        (2, "red", "too_short"),
        (3, "A storm", "verbatim"),
        (4, "A horse tram ran in Lisbon in 1872.", "nearly"),
    ]
    assert "a number among them" in told["quotes"][3]["reason"]
    assert 0.9 < told["quotes"][3]["likeness"] < 1
    first, second, third = told["claims"]
    assert (first["claim"], first["quotes"]) == ('He "built the first Eddystone tower in 1698".', [1])
    assert spans_of(first["evidence"]) == [(0, 57)]
    assert first["supported"] is (first["support"] >= 0.5)
    assert (second["support"], second["supported"], second["evidence"]) == (None, None, None)
    assert (third["claim"], third["quotes"]) == ("A tram ran.", [4])
    assert told["unresolved_marks"] == ["[2]"]
    assert told["scorer_accuracy"] == pytest.approx(0.94, abs=0.05)


async def test_what_goes_wrong_is_told_in_the_services_own_sentence(opening):
    async with opening() as tools:
        said = await tools("answer", question=" ")
        assert said.endswith(": The question is blank; ask something in 1 to 2,000 characters.")
        assert ": No document has the id 'gone'" in await tools("get_document", document_id="gone")
        said = await tools("check_quotes", answer=" ")
        assert said.endswith(": There is nothing to check; give quotes, claims or an answer.")
        said = await tools("check_quotes", answer='"a b c d" ' * 201)
        assert said.endswith(
            "The answer has 201 quotes, but at most 200 are checked at once; send it in parts."
        )


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("answer", {}, "The argument question is missing, but it must be a text of 1 to 2,000 characters."),
        (
            "answer",
            {"question": QUESTION, "min_confidence": 2},
            "The argument min_confidence is 2, but it must be a number from 0 to 1.",
        ),
        (
            "answer",
            {"question": 3, "length": "brief"},
            "The argument question is 3, but it must be a text of 1 to 2,000 characters.",
        ),
        (
            "answer",
            {"question": QUESTION, "length": "brief"},
            "The argument length is 'brief', but it must be auto, short or long.",
        ),
        (
            "search",
            {"query": "x", "k": 51},
            "The argument k is 51, but it must be a whole number from 1 to 50.",
        ),
        (
            "get_document",
            {"document_id": "towers", "characters": 100_001},
            "The argument characters is 100001, but it must be a whole number from 1 to 100,000.",
        ),
        (
            "get_document",
            {"document_id": "towers", "start": -1},
            "The argument start is -1, but it must be a whole number from 0 on.",
        ),
        (
            "check_quotes",
            {"quotes": [{"quote": "x"}] * 201},
            "The argument quotes has 201 items, but it must be a list of at most 200 objects with a quote each.",
        ),
        (
            "check_quotes",
            {"quotes": [{"quote": "x"}, {"quotes": "x"}]},
            "The argument 'quotes' is not known in quotes[1]; known are quote, document_id.",
        ),
        (
            "check_quotes",
            {"answer": "x" * 50_001},
            "The argument answer has 50,001 characters, but it must be a text of at most 50,000 characters.",
        ),
        (
            "check_quotes",
            {"claims": [{"claim": "x", "document_ids": [""]}]},
            "The argument claims[0].document_ids[0] has 0 characters, but it must be a text of 1 to 1,000 characters.",
        ),
    ],
)
async def test_what_a_tool_does_not_take_is_told_in_one_sentence(tools_index, name, arguments, said):
    async with over_index(tools_index) as client:
        assert await Tools(client)(name, **arguments) == said


async def test_what_each_argument_must_be_is_known(tools_index):
    async with over_index(tools_index) as client:
        for tool in (await client.list_tools()).tools:
            assert set(tool.input_schema["properties"]) <= set(TAKEN[tool.name])


async def test_a_document_is_a_resource_too(opening):
    async with opening() as tools:
        [template] = (await tools.client.list_resource_templates()).resource_templates
        assert template.uri_template == "loccit://documents/{document_id}"
        [content] = (await tools.client.read_resource("loccit://documents/..%2Ftrams%20%26%20co")).contents
        assert (content.text, content.mime_type) == (TEXTS[ODD], "text/plain")
        with pytest.raises(MCPError, match="No document has the id 'gone'"):
            await tools.client.read_resource("loccit://documents/gone")


async def test_every_tool_says_what_it_does_takes_and_gives(tools_index):
    async with over_index(tools_index) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert tools.keys() == {"answer", "search", "get_document", "check_quotes"}
    for tool in tools.values():
        assert tool.title
        assert tool.description
        assert tool.annotations.read_only_hint is True
        assert tool.output_schema["type"] == "object"
        assert all("description" in each for each in tool.input_schema["properties"].values())
    quoted = tools["answer"].output_schema["$defs"]["Quote"]["properties"]
    assert quoted["start"]["description"] == "In Unicode code points of the document's text."


async def test_an_index_that_cannot_be_opened_is_told_by_every_tool(tmp_path):
    settings = Settings.of(index=tmp_path / "none", generator="reader", reader="lexical")
    async with index_backend(Host(settings, open_service)) as backend, Client(tools_over(backend)) as client:
        for _ in range(2):
            result = await client.call_tool("answer", {"question": QUESTION})
            assert result.is_error
            assert "There is no index in" in result.content[0].text


async def test_a_service_that_is_not_there_is_told(unused_tcp_port):
    async with over_service(f"127.0.0.1:{unused_tcp_port}") as client:
        result = await client.call_tool("answer", {"question": QUESTION})
    assert result.is_error
    sentence = f"No Loccit server answers at 'http://127.0.0.1:{unused_tcp_port}'"
    assert sentence in result.content[0].text
