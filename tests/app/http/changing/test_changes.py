"""Documents come, are replaced and go over HTTP; what is asked afterwards is answered from the index as it is then."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from rich.console import Console

from app.answering.generators.reader_generator import ReaderGenerator
from app.http.changing.change_queue import ChangeNotServedError, Changes
from app.http.worker import StoppingError
from app.service import changes
from app.service.api_keys import add_key
from app.service.assembly import REAL_PARTS, AnswerService, open_service
from app.service.changes import Delete, Outcome
from app.service.generation import Writing
from app.service.settings import ReaderKind
from common.errors import (
    ChangeRefusedError,
    IndexBusyError,
    IndexNotWritableError,
    IndexUnusableError,
    LoccitError,
)
from index_builder import generation_writer
from index_builder.build import build_index
from index_builder.corpora import open_corpus
from index_builder.verify import verify_index
from retriever.encoder import HashingEncoder
from retriever.generations import BuildLock, current_generation
from retriever.index import read_manifest
from retriever.text.passages import PassageSettings
from tests.app.http.conftest import Call, called, serving
from tests.app.http.test_requests import problem_of
from tests.server_process import build

TEXTS = {
    "towers": "Henry Winstanley built the first Eddystone tower in 1698.",
    "trams": "A tram runs in Lisbon.",
}
OPEN = partial(
    open_service, parts=replace(REAL_PARTS, writing=lambda _: Writing(lambda _: ReaderGenerator()))
)
SETTINGS = {"reader": ReaderKind.LEXICAL, "min_confidence": 0.0, "watch_index_s": 0}


@pytest.fixture
def index(tmp_path) -> Path:
    build(tmp_path / "index", TEXTS)
    return tmp_path / "index"


@pytest.fixture
def call(index) -> Iterator[Call]:
    with called(OPEN, index=index, admin=True, **SETTINGS) as call:
        yield call


def test_a_put_into_a_source_keeps_what_is_recorded_of_it(tmp_path):
    source = tmp_path / "notes.jsonl"
    source.write_text('{"id": "towers", "text": "A tower."}\n{broken\n{"id": 7}\n')
    build_index(
        [open_corpus(str(source))],
        tmp_path / "index",
        encoder=HashingEncoder(),
        settings=PassageSettings(),
        strict=False,
        console=Console(quiet=True),
    )
    (before,) = read_manifest(tmp_path / "index").sources
    assert (before.malformed, before.kind) == (2, "jsonl")
    with called(OPEN, index=tmp_path / "index", admin=True, **SETTINGS) as call:
        for text, licence in (("A boat.", None), ("A hill.", "CC0")):
            given = {"text": text, "source": "notes.jsonl"} | ({"licence": licence} if licence else {})
            assert call("PUT", address("boats"), json=given).status_code in (200, 201)
            (record,) = read_manifest(tmp_path / "index").sources
            assert record == before.model_copy(update={"documents": 2, "licence": licence})


def address(doc_id: str) -> str:
    return f"/documents/{quote(doc_id, safe='')}"


def test_a_document_is_created_replaced_and_deleted_and_each_time_served(call, index):
    doc_id = "notes/2026/boiler & roof?.md"
    given = {
        "title": "House",
        "text": "The boiler is serviced every May. 😀\r\n",
        "url": "https://example.org/house",
        "metadata": {"year": 2026, "tags": ["a", None]},
        "source": "notes",
        "licence": "CC0",
    }
    created = call("PUT", address(doc_id), json=given)
    assert created.status_code == 201
    generation = created.json()["generation"]
    assert created.json() == {"document_id": doc_id, "generation": generation}
    assert call("GET", "/health/ready").json()["generation"] == generation
    stored = call("GET", address(doc_id)).json()
    assert {name: stored[name] for name in ("title", "text", "url", "metadata", "source")} == {
        name: given[name] for name in ("title", "text", "url", "metadata", "source")
    }
    assert [terms["licence"] for terms in stored["attribution"]] == ["CC0"]
    answer = call("POST", "/answer", json={"question": "when is the boiler serviced"}).json()
    assert answer["citations"][0]["document_id"] == doc_id
    assert answer["generation"] == generation

    replaced = call("PUT", address(doc_id), json={"text": "The boiler is serviced every June."})
    assert replaced.status_code == 200
    stored = call("GET", address(doc_id)).json()
    assert (stored["title"], stored["source"], stored["url"], stored["metadata"]) == (
        doc_id,
        "notes",
        None,
        {},
    )
    assert [terms["licence"] for terms in stored["attribution"]] == ["CC0"]

    deleted = call("DELETE", address(doc_id))
    assert deleted.status_code == 200
    assert deleted.json()["generation"] not in {generation, replaced.json()["generation"]}
    problem_of(call("GET", address(doc_id)), 404)
    assert call("GET", "/indexes/current").json()["counts"]["documents"] == 2
    assert verify_index(index).counts.documents == 2


def test_a_document_without_a_source_is_of_one_called_http(call):
    call("PUT", address("n"), json={"text": "A new text."})
    assert call("GET", address("n")).json()["source"] == "http"
    names = [source["name"] for source in call("GET", "/indexes/current").json()["sources"]]
    assert names == ["texts.jsonl", "http"]


def test_what_is_not_there_cannot_be_deleted(call):
    before = call("GET", "/health/ready").json()["generation"]
    problem = problem_of(call("DELETE", address("towers/none")), 404)
    assert problem["detail"].startswith("No document has the id 'towers/none';")
    assert call("GET", "/health/ready").json()["generation"] == before


def test_another_method_is_told_all_that_are_possible(call):
    response = call("POST", address("towers"))
    assert response.headers["allow"] == "DELETE, GET, HEAD, PUT"
    detail = problem_of(response, 405)["detail"]
    assert detail == "POST is not possible at '/documents/towers'; use DELETE, GET, HEAD, PUT."


def test_the_last_text_cannot_be_deleted(call):
    assert call("DELETE", address("towers")).status_code == 200
    problem = problem_of(call("DELETE", address("trams")), 409)
    assert problem["type"] == "urn:loccit:problem:change-refused"
    assert problem["detail"] == "The index would hold no text; give a document with words in it."
    assert call("GET", address("trams")).status_code == 200


@pytest.mark.parametrize(
    ("doc_id", "body", "detail"),
    [
        (
            "x" * 1001,
            {"text": "T"},
            "The id has 1,001 characters, but at most 1,000 are accepted; shorten it.",
        ),
        (" ", {"text": "T"}, "The id is blank; write one into the address, after /documents/."),
        ("", {"text": "T"}, "The id is blank; write one into the address, after /documents/."),
        (
            "a",
            {"text": ""},
            "The text is blank, so nothing would ever find it; give a text with words in it.",
        ),
        (
            "a",
            {"text": " \n\u3000"},
            "The text is blank, so nothing would ever find it; give a text with words",
        ),
        ("a", {}, "The field text is missing, but it must be a text."),
        ("a", {"text": 1}, "The field text is 1, but it must be a text."),
        ("a", {"text": "T", "metadata": []}, "The field metadata is [], but it must be an object."),
        (
            "a",
            {"text": "T", "licence": ""},
            "The field licence has 0 characters, but it must be a text of 1 to 2,000",
        ),
        (
            "a",
            {"text": "T", "titel": "x"},
            "The field 'titel' is not known; known are title, text, url, metadata,",
        ),
        ("a", [], "The body is [], but it must be a JSON object such as {"),
        ("a", {"text": "x" * 200_001}, "The text has 200,001 characters, but at most 200,000 are accepted;"),
    ],
)
def test_what_cannot_be_stored_is_refused_in_one_sentence(call, doc_id, body, detail):
    assert problem_of(call("PUT", address(doc_id), json=body), 422)["detail"].startswith(detail)


@pytest.mark.parametrize("metadata", ['{"a": NaN}', '{"a": 1e999}', '{"a": "\\ud83d"}', '{"\\ud83d": 1}'])
def test_metadata_that_no_index_can_keep_is_refused(call, metadata):
    content = f'{{"text": "T", "metadata": {metadata}}}'
    response = call("PUT", address("a"), content=content, headers={"content-type": "application/json"})
    assert problem_of(response, 422)["detail"].startswith("The field metadata holds a ")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_metadata_nests_no_deeper_than_can_be_handed_back(call, opening):
    def put(depth: int) -> httpx.Response:
        inner = opening * (depth - 1) + "1" + {"[": "]"}.get(opening, "}") * (depth - 1)
        content = f'{{"text": "T", "metadata": {{"m": {inner}}}}}'
        return call("PUT", address("a"), content=content, headers={"content-type": "application/json"})

    for depth in (33, 300):
        detail = problem_of(put(depth), 422)["detail"]
        assert detail == "The field metadata nests lists or objects more than 32 deep; keep it flat."
    assert put(32).status_code == 201
    stored = call("GET", address("a"))
    assert stored.status_code == 200
    assert stored.text.count("[" if opening == "[" else '{"a":') >= 31


def test_unless_it_is_allowed_nothing_is_changed(index, tmp_path):
    with called(OPEN, index=index, **SETTINGS) as call:
        for response in (call("PUT", address("a"), json={"text": "T"}), call("DELETE", address("towers"))):
            assert problem_of(response, 403)["type"] == "urn:loccit:problem:admin-off"
    keys = tmp_path / "keys.json"
    alice, root = add_key(keys, "alice"), add_key(keys, "root", admin=True)
    with called(OPEN, index=index, key_file=keys, **SETTINGS) as call:
        problem_of(call("PUT", address("a"), json={"text": "T"}), 401)
        problem_of(call("PUT", address("a"), json={"text": "T"}, headers={"X-API-Key": alice}), 403)
        assert call("PUT", address("a"), json={"text": "T"}, headers={"X-API-Key": root}).status_code == 201


async def test_of_many_changes_at_once_none_is_lost_and_those_that_wait_are_made_together(index):
    async with serving(OPEN, index=index, admin=True, **SETTINGS) as client:

        async def put(number: int) -> httpx.Response:
            return await client.put(address(f"n{number}"), json={"text": f"Text number {number}."})

        responses = await asyncio.gather(*map(put, range(12)), client.delete(address("trams")))
        assert [response.status_code for response in responses] == [*[201] * 12, 200]
        for number in range(12):
            assert (await client.get(address(f"n{number}"))).json()["text"] == f"Text number {number}."
        assert (await client.get(address("trams"))).status_code == 404
        generations = {response.json()["generation"] for response in responses}
        assert (await client.get("/health/ready")).json()["generation"] in generations
        assert len(generations) < 13
    assert verify_index(index).counts.documents == 13


def test_another_process_that_writes_is_waited_for_and_then_refused(call, index, monkeypatch):
    monkeypatch.setattr(changes, "_WAIT_S", 0.2)
    with BuildLock(index):
        response = call("PUT", address("a"), json={"text": "T"})
    problem = problem_of(response, 503)
    assert problem["type"] == "urn:loccit:problem:index-busy"
    assert problem["detail"].startswith("Another process is building the index in")
    assert response.headers["retry-after"] == "5"
    monkeypatch.setattr(changes, "_WAIT_S", 20.0)
    taken = threading.Event()

    def write() -> None:
        with BuildLock(index):
            taken.set()
            time.sleep(0.3)

    writing = threading.Thread(target=write)
    writing.start()
    taken.wait()
    assert call("PUT", address("a"), json={"text": "T"}).status_code == 201
    writing.join()


def test_a_folder_that_cannot_be_written_to_is_told(call, monkeypatch):
    def forbidden(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/index/build.lock")

    monkeypatch.setattr(generation_writer.BuildLock, "__enter__", forbidden)
    problem = problem_of(call("PUT", address("a"), json={"text": "T"}), 409)
    assert problem["type"] == "urn:loccit:problem:index-not-writable"
    assert (
        "cannot be changed, because /index/build.lock may not be read or written by this user"
        in problem["detail"]
    )


def test_a_full_disk_is_told_and_the_old_index_serves_on(call, monkeypatch):
    before = call("GET", "/health/ready").json()["generation"]

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(generation_writer, "_manifest", full)
        problem = problem_of(call("PUT", address("a"), json={"text": "T"}), 409)
    assert problem["detail"].startswith("The disk of ")
    assert call("GET", "/health/ready").json()["generation"] == before
    assert call("PUT", address("a"), json={"text": "T"}).status_code == 201


class Made:
    """Makes changes only when it is let. ``error``: what goes wrong with a change of the document ``at``."""

    def __init__(self, error: Exception | None = None, *, at: str = "") -> None:
        self.groups: list[list[str]] = []
        self.let = asyncio.Event()
        self._error, self._at = error, at

    async def __call__(self, wanted) -> list[Outcome]:
        self.groups.append([each.doc_id for each in wanted])
        await self.let.wait()
        if self._error is not None and self._at in self.groups[-1]:
            raise self._error
        return [Outcome.DELETED] * len(wanted)


async def begun(changes_: Changes, ids: str) -> list[asyncio.Task]:
    tasks = [asyncio.create_task(changes_.make(Delete(doc_id))) for doc_id in ids]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_no_more_changes_wait_than_may():
    made = Made()
    queue = Changes(made, most=2)
    tasks = await begun(queue, "abc")
    with pytest.raises(IndexBusyError, match="2 changes of the index are waiting"):
        await queue.make(Delete("d"))
    made.let.set()
    assert await asyncio.gather(*tasks) == [Outcome.DELETED] * 3
    assert made.groups == [["a"], ["b", "c"]]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LoccitError("The disk is full."), ChangeRefusedError),
        (ChangeRefusedError("No."), ChangeRefusedError),
        (ZeroDivisionError(), ZeroDivisionError),
    ],
)
async def test_a_change_that_is_refused_takes_no_other_with_it(error, told):
    made = Made(error, at="c")
    tasks = await begun(Changes(made, most=9), "abcd")
    made.let.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [outcomes[0], outcomes[1], outcomes[3]] == [Outcome.DELETED] * 3
    assert type(outcomes[2]) is told
    assert made.groups == [["a"], ["b", "c", "d"], ["b"], ["c"], ["d"]]


@pytest.mark.parametrize(
    "error",
    [IndexBusyError("No."), IndexNotWritableError("No."), StoppingError("No.")],
)
async def test_what_is_no_fault_of_one_change_is_told_to_all_that_were_made_together(error):
    made = Made(error, at="c")
    tasks = await begun(Changes(made, most=9), "abcd")
    made.let.set()
    assert await asyncio.gather(*tasks, return_exceptions=True) == [Outcome.DELETED, error, error, error]
    assert made.groups == [["a"], ["b", "c", "d"]]


async def test_the_last_text_is_kept_and_the_others_that_wait_with_it_are_changed(index):
    async with serving(OPEN, index=index, admin=True, **SETTINGS) as client:
        responses = await asyncio.gather(
            *(client.delete(address(doc_id)) for doc_id in ("none", "towers", "trams"))
        )
        assert responses[0].status_code == 404
        assert sorted(response.status_code for response in responses[1:]) == [200, 409]
        found = [(await client.get(address(doc_id))).status_code for doc_id in ("towers", "trams")]
        assert found == [{200: 404, 409: 200}[response.status_code] for response in responses[1:]]
    assert verify_index(index).counts.documents == 1


def test_a_change_that_is_made_but_cannot_be_served_is_told_as_one(call, index, monkeypatch):
    def damaged(_: AnswerService) -> AnswerService:
        raise IndexUnusableError("It is damaged.")

    before = call("GET", "/health/ready").json()["generation"]
    with monkeypatch.context() as broken:
        broken.setattr(AnswerService, "reopened", damaged)
        problem = problem_of(call("PUT", address("a"), json={"text": "A new text."}), 409)
    made = current_generation(index).name
    assert made != before
    assert problem["type"] == "urn:loccit:problem:change-not-served"
    assert problem["detail"] == (
        f"The change is in the index, in generation {made}, but the service answers from generation {before} until "
        "it can open that one: It is damaged."
    )
    assert call("GET", "/health/ready").json()["generation"] == before
    assert call("POST", "/admin/reload").json()["generation"] == made
    assert call("GET", address("a")).json()["text"] == "A new text."


def test_a_deletion_that_is_made_but_not_served_is_told_as_that_however_often_it_is_asked_for(
    call, index, monkeypatch
):
    def damaged(_: AnswerService) -> AnswerService:
        raise IndexUnusableError("It is damaged.")

    with monkeypatch.context() as broken:
        broken.setattr(AnswerService, "reopened", damaged)
        first = problem_of(call("DELETE", address("trams")), 409)
        made = current_generation(index).name
        again = problem_of(call("DELETE", address("trams")), 409)
        assert call("GET", address("trams")).status_code == 200
        problem_of(call("DELETE", address("none")), 404)
    assert first["type"] == again["type"] == "urn:loccit:problem:change-not-served"
    assert first["detail"] == again["detail"]
    assert again["detail"].startswith(f"The change is in the index, in generation {made}, but the service")
    assert current_generation(index).name == made
    problem_of(call("DELETE", address("trams")), 404)
    problem_of(call("GET", address("trams")), 404)


async def test_of_changes_that_cannot_be_served_those_are_told_that_were_made(index, monkeypatch):
    """Whatever group each is made in: what is not there is not there."""

    def damaged(_: AnswerService) -> AnswerService:
        raise IndexUnusableError("It is damaged.")

    monkeypatch.setattr(AnswerService, "reopened", damaged)
    async with serving(OPEN, index=index, admin=True, **SETTINGS) as client:
        first, put, unknown, deleted = await asyncio.gather(
            client.put(address("a"), json={"text": "A new text."}),
            client.put(address("b"), json={"text": "Another text."}),
            client.delete(address("none")),
            client.delete(address("trams")),
        )
    for response in (first, put, deleted):
        assert problem_of(response, 409)["type"] == "urn:loccit:problem:change-not-served"
    detail = problem_of(unknown, 404)["detail"]
    assert detail == "No document has the id 'none'; an answer's citations name ids that exist."
    assert verify_index(index).counts.documents == 3


async def test_what_became_of_each_that_was_made_together_is_told_to_whoever_wanted_it():
    not_served = ChangeNotServedError("No.")

    async def made(wanted) -> list[Outcome | ChangeNotServedError]:
        return [not_served if each.doc_id == "b" else Outcome.UNKNOWN for each in wanted]

    outcomes = await asyncio.gather(*await begun(Changes(made, most=9), "abc"), return_exceptions=True)
    assert outcomes == [Outcome.UNKNOWN, not_served, Outcome.UNKNOWN]


def test_a_source_goes_with_its_last_document(call):
    def sources() -> list[str]:
        return [source["name"] for source in call("GET", "/indexes/current").json()["sources"]]

    call("PUT", address("n"), json={"text": "A new text.", "source": "notes"})
    assert sources() == ["texts.jsonl", "notes"]
    call("PUT", address("n"), json={"text": "A new text.", "source": "more notes"})
    assert sources() == ["texts.jsonl", "more notes"]
    call("DELETE", address("n"))
    assert sources() == ["texts.jsonl"]


async def test_those_who_wait_are_told_when_whoever_makes_it_is_stopped():
    made = Made()
    queue = Changes(made, most=9)
    first, *_ = await begun(queue, "a")
    waiting = await begun(queue, "bc")
    first.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    waiting[0].cancel()  # it makes its own and the other's
    told = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert [type(each) for each in told[:2]] == [asyncio.CancelledError] * 2
    assert isinstance(told[2], StoppingError)
