"""The typed client, with and without asyncio, before a running server."""

import copy
import inspect
import pickle
from contextlib import asynccontextmanager

import httpx
import pytest
from loccit_client import (
    Answer,
    AsyncClient,
    BusyError,
    Client,
    DeadlineExceededError,
    DocumentNotFoundError,
    GivenClaim,
    GivenDocument,
    GivenQuote,
    InvalidRequestError,
    LoccitClientError,
    Problem,
    Question,
    QuoteMismatchError,
    Stage,
    TooManyRequestsError,
    UnauthorizedError,
    UnexpectedResponseError,
    UnreachableError,
)
from loccit_client.errors import problem_error

from app.service.api_keys import add_key
from tests.server_process import QUESTION, build, running

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

ASKED = QUESTION["question"]
QUOTE = "Henry Winstanley built the first Eddystone tower in 1698."
ODD = "../a b/c?d#é%2F"
TEXTS = {
    "towers": f"\N{LINE SEPARATOR}\x85\n {QUOTE} 😀 A storm took it in 1703.",
    ODD: "A horse tram ran in Lisbon in 1873.",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("client")
    build(folder / "index", TEXTS)
    key = add_key(folder / "keys.json", "ann")
    once = add_key(folder / "keys.json", "bob", per_minute=1)
    with running(folder / "index", key_file=folder / "keys.json", timeout_s=3) as server:
        yield server.url, key, once


class Waiting:
    """The client for asyncio, called like the other one."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    def __getattr__(self, name):
        called = getattr(self._client, name)

        async def result(*given, **options):
            value = called(*given, **options)
            return [event async for event in value] if inspect.isasyncgen(value) else await value

        return result


class AtOnce:
    """The client that waits, called like the one for asyncio."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __getattr__(self, name):
        called = getattr(self._client, name)

        async def result(*given, **options):
            value = called(*given, **options)
            return list(value) if inspect.isgenerator(value) else value

        return result


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """A server that allows the time that the scorer of claims takes to load."""
    index = tmp_path_factory.mktemp("patient") / "index"
    build(index, TEXTS)
    with running(index) as server:
        yield server.url


@pytest.fixture(params=["sync", "async"])
async def client(request, served):
    url, key, _ = served
    async with client_of(request.param, url, key) as client:
        yield client


@pytest.fixture(params=["sync", "async"])
async def patient_client(request, patient):
    async with client_of(request.param, patient, None) as client:
        yield client


@asynccontextmanager
async def client_of(kind, url, key):
    if kind == "sync":
        with Client(url, api_key=key) as client:
            yield AtOnce(client)
    else:
        async with AsyncClient(url, api_key=key) as client:
            yield Waiting(client)


async def test_an_answer_is_typed_and_its_quotes_are_verified_against_the_served_document(client):
    told = await client.answer(ASKED)
    assert isinstance(told, Answer)
    assert (told.question, told.abstained, told.abstain_reason) == (ASKED, False, None)
    assert told.request_id
    assert told.model.reader == "lexical"
    [citation] = told.citations
    assert (citation.quote, citation.document_id) == (QUOTE, "towers")
    document = await client.document("towers")
    assert document.text == TEXTS["towers"]
    citation.verify(document)
    with pytest.raises(QuoteMismatchError, match="not from"):
        citation.verify(await client.document(ODD))


async def test_an_abstention_is_an_answer_with_its_reason_and_the_nearest_quotes(client):
    told = await client.answer(ASKED, min_confidence=1)
    assert (told.answer, told.abstained, told.abstain_reason) == (None, True, "low_confidence")
    assert told.citations == ()
    assert QUOTE in [nearest.quote for nearest in told.nearest]


async def test_what_is_asked_for_is_included_and_documents_are_answered_from(client):
    documents = [GivenDocument("Ann ran it.", title="House", document_id="house")]
    told = await client.answer("who ran it?", documents=documents, include=["hits", "alternatives"], top_k=3)
    assert [citation.document_id for citation in told.citations] == ["house"]
    assert [hit.text for hit in told.hits] == ["Ann ran it."]
    assert told.generation is None


async def test_a_stream_tells_each_stage_and_ends_with_the_answer(client):
    *stages, answer = await client.stream(ASKED, length="long")
    assert all(isinstance(stage, Stage) for stage in stages)
    assert [stage.name for stage in stages] == [
        "retrieved",
        "read",
        "generated",
        "located",
        "supported",
        "composed",
    ]
    assert stages[0].data["hits"][0]["document_id"] == "towers"
    assert isinstance(answer, Answer)
    assert QUOTE in [citation.quote for citation in answer.citations]


async def test_a_batch_gives_for_each_question_its_answer_or_its_problem(client):
    first, second, third = await client.answers([ASKED, " ", Question(ASKED, min_confidence=1)])
    assert isinstance(first, Answer)
    assert first.citations[0].quote == QUOTE
    assert isinstance(second, Problem)
    assert second.detail == "The question is blank; ask something in 1 to 2,000 characters."
    assert isinstance(third, Answer)
    assert third.abstained


async def test_a_search_and_the_index_are_typed(client):
    found = await client.search("horse tram", k=1, mode="lexical")
    assert (found.query, found.mode) == ("horse tram", "lexical")
    assert [(hit.rank, hit.document_id, hit.text) for hit in found.hits] == [(1, ODD, TEXTS[ODD])]
    index = await client.index()
    assert index.counts["documents"] == 2
    assert [source.documents for source in index.sources] == [2]
    assert index.generation == found.generation


async def test_an_answer_of_another_system_is_checked_against_the_index(patient_client):
    told = await patient_client.check(
        'It "stood for five years" [1].',
        sources={"1": "towers"},
        quotes=[
            GivenQuote("A storm took it in 1703.", ODD),
            GivenQuote("A horse tram ran in Lisbon in 1874."),
        ],
        claims=[GivenClaim("A storm.", (GivenQuote("A storm  took it"),), ("towers",))],
    )
    assert told.request_id
    assert [(quote.verdict, quote.folds) for quote in told.quotes] == [
        ("fabricated", ()),
        ("from_another_document", ()),
        ("nearly", ()),
        ("verbatim", ("white_space",)),
    ]
    assert told.quotes[0].document_ids == told.quotes[3].document_ids == ("towers",)
    for quote in told.quotes[1:]:
        [span] = quote.found.spans
        assert TEXTS[quote.found.document_id][span.start : span.end] == span.text
    assert [claim.quotes for claim in told.claims] == [(1,), (4,)]
    assert told.verdicts["nearly"] == 1
    assert (told.searched.documents, told.searched.index) == (2, True)


async def test_an_answer_is_checked_against_the_documents_handed_in(patient_client):
    documents = [GivenDocument("Ann ran it for years.", document_id="house")]
    told = await patient_client.check("“Ann ran it for years” [1]", documents=documents)
    [quote] = told.quotes
    assert (quote.verdict, quote.found.document_id) == ("verbatim", "house")
    assert (told.searched.index, told.generation) == (False, None)
    with pytest.raises(InvalidRequestError, match="The list of documents is empty"):
        await patient_client.check("x", documents=[])
    with pytest.raises(ValueError, match="Texts are checked as they stand"):
        await patient_client.check("x", documents=[GivenDocument("*Ann*", format="markdown")])


async def test_a_filter_says_which_documents_are_answered_from(client):
    told = await client.answer(ASKED, filter={"document_id": [ODD]}, include=["hits"])
    assert {hit.document_id for hit in told.hits} == {ODD}
    *_, last = await client.stream(ASKED, filter={"document_id": ODD}, include=["hits"])
    assert {hit.document_id for hit in last.hits} == {ODD}
    batch = await client.answers(
        [Question(ASKED, filter={"document_id": ("towers", "gone")}, include=("hits",))]
    )
    assert {hit.document_id for hit in batch[0].hits} == {"towers"}
    for only, expected in ((ODD, {ODD}), (["towers", ODD], {"towers", ODD})):
        found = await client.search("tower tram", filter={"document_id": only})
        assert {hit.document_id for hit in found.hits} == expected
    assert "document_id" in (await client.index()).fields
    with pytest.raises(InvalidRequestError, match="color"):
        await client.search("tower", filter={"color": True})


async def test_a_document_is_found_by_any_id_and_one_that_is_not_there_is_an_error(client):
    assert (await client.document(ODD)).text == TEXTS[ODD]
    with pytest.raises(DocumentNotFoundError, match="No document has the id 'gone'") as missing:
        await client.document("gone")
    assert missing.value.problem.status == 404
    assert missing.value.problem.request_id


async def test_what_the_server_refuses_is_raised_with_its_sentence(client):
    with pytest.raises(InvalidRequestError, match="The question is blank; ask something") as refused:
        await client.answer(" ")
    assert refused.value.problem.type == "urn:loccit:problem:invalid-request"
    with pytest.raises(InvalidRequestError):
        await client.stream(" ")
    with pytest.raises(DeadlineExceededError, match="There was no answer within 3 seconds"):
        await client.answer("take 4 s for the tower")
    with pytest.raises(DeadlineExceededError):
        await client.stream("take 4 s for the tower")


def test_keys_are_sent_and_refused_or_limited(served):
    url, _, once = served
    with Client(url) as stranger, pytest.raises(UnauthorizedError, match="wants an API key"):
        stranger.answer(ASKED)
    waits = []
    with Client(url, api_key=once, retries=1, sleep=waits.append) as limited:
        limited.index()
        with pytest.raises(TooManyRequestsError) as often:
            limited.index()
    [waited] = waits
    assert 0 < waited <= 60
    assert 0 < often.value.retry_after <= 60
    with pytest.raises(LoccitClientError, match="characters that no API key has"):
        Client(url, api_key="a b")


async def test_a_server_that_is_not_there_is_told(unused_tcp_port):
    url = f"127.0.0.1:{unused_tcp_port}"
    with Client(url, retries=0) as client, pytest.raises(UnreachableError, match="No server answers at"):
        client.index()
    async with AsyncClient(url, retries=0) as client:
        with pytest.raises(UnreachableError, match="start one, or give another URL"):
            await client.index()


def test_a_server_that_takes_too_long_is_told(served):
    hurried = Client(served[0], api_key=served[1], timeout=0.3)
    with hurried, pytest.raises(UnreachableError, match=r"did not answer within 0\.3 seconds"):
        hurried.answer("take 1 s for the tower")


def test_another_server_is_told():
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text="<html>"))
    with (
        Client(transport=transport) as client,
        pytest.raises(UnexpectedResponseError, match="no Loccit service"),
    ):
        client.index()


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(502, html="<html>Bad Gateway</html>"),
        httpx.Response(401, json={"message": "Unauthorized"}),
        httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(500, text="Internal Server Error"),
    ],
    ids=lambda response: response.status_code,
)
def test_an_error_that_no_loccit_service_tells_is_told_with_its_status(response):
    refused = (
        rf"^What answers at 'http://127\.0\.0\.1:8000/indexes/current' refused .* {response.status_code}, "
    )
    transport = httpx.MockTransport(lambda request: response)
    with Client(transport=transport) as client, pytest.raises(UnexpectedResponseError, match=refused):
        client.index()


@pytest.mark.parametrize(
    "response",
    [
        lambda request: httpx.Response(200, content=b"[" * 100_000),
        lambda request: httpx.Response(
            200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"no gzip")
        ),
    ],
    ids=["deep", "gzip"],
)
async def test_a_response_that_cannot_be_read_is_an_error_of_the_client(response):
    transport = httpx.MockTransport(response)
    with Client(transport=transport) as client, pytest.raises(LoccitClientError):
        client.index()
    async with AsyncClient(transport=transport) as client:
        with pytest.raises(LoccitClientError):
            await client.index()


async def test_what_cannot_be_sent_is_an_error_of_the_client():
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={}))
    with Client(transport=transport) as client:
        for ask in (
            lambda: client.answer("half \ud83d"),
            lambda: client.answer("who?", min_confidence=float("nan")),
            lambda: client.search("half \ud83d"),
        ):
            with pytest.raises(LoccitClientError, match="What is asked cannot be sent"):
                ask()
    async with AsyncClient(transport=transport) as client:
        with pytest.raises(LoccitClientError, match="What is asked cannot be sent"):
            await client.answer("half \ud83d")


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_an_address_that_cannot_be_one_is_an_error_of_the_client(kind):
    with pytest.raises(LoccitClientError, match="The URL 'http://localhost:abc' is none of a server"):
        kind("http://localhost:abc")


def test_what_the_server_refused_is_pickled_and_copied_whole():
    problem = Problem("urn:loccit:problem:busy", "Busy", 503, "Too many wait.", "4f7c")
    error = problem_error(problem, retry_after=2.0)
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is BusyError
        assert (str(other), other.problem, other.retry_after) == ("Too many wait.", problem, 2.0)


def test_both_clients_take_the_same_and_say_the_same_of_it():
    def said(kind):
        calls = {name: call for name, call in vars(kind).items() if inspect.isfunction(call)}
        public = {
            name.removeprefix("a") if name == "aclose" else name: calls[name]
            for name in calls
            if name[0] != "_"
        }
        return {name: (inspect.signature(call).parameters, call.__doc__) for name, call in public.items()}

    assert said(Client) == said(AsyncClient)
