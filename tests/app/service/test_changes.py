"""Several changes in one generation come out as if one came after the other."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from app.answering.generators.reader_generator import ReaderGenerator
from app.service.assembly import REAL_PARTS, AnswerService, open_service
from app.service.changes import Delete, Made, Outcome, Put, change_documents
from app.service.generation import Writing
from app.service.settings import GeneratorKind, ReaderKind, Settings
from common.errors import ChangeRefusedError
from retriever.encoder import HashingEncoder
from retriever.generations import current_generation
from retriever.index import open_index
from retriever.types import Document
from tests.server_process import build

OPEN = partial(
    open_service, parts=replace(REAL_PARTS, writing=lambda _: Writing(lambda _: ReaderGenerator()))
)


@pytest.fixture
def service(tmp_path) -> AnswerService:
    build(tmp_path / "index", {"towers": "A tower stands here.", "trams": "A tram runs there."})
    settings = Settings.of(
        index=tmp_path / "index", generator=GeneratorKind.READER, reader=ReaderKind.LEXICAL
    )
    return OPEN(settings)


def put(doc_id: str, text: str, **given: str) -> Put:
    return Put(Document(doc_id, doc_id, text), **given)


def stored(directory: Path) -> dict[str, tuple[str, str | None]]:
    store = open_index(directory, HashingEncoder()).store
    return {document.doc_id: (document.text, document.source) for document, _ in store.each_document()}


def test_changes_of_one_document_are_made_in_their_order(service):
    wanted = [
        put("x", "One."),
        put("x", "Two."),
        Delete("x"),
        Delete("x"),
        put("x", "Three."),
        Delete("trams"),
    ]
    made = change_documents(service, wanted)
    assert made.generation == current_generation(service.settings.index).name
    assert made.outcomes == [
        Outcome.CREATED,
        Outcome.REPLACED,
        Outcome.DELETED,
        Outcome.UNKNOWN,
        Outcome.CREATED,
        Outcome.DELETED,
    ]
    assert stored(service.settings.index) == {
        "towers": ("A tower stands here.", "texts.jsonl"),
        "x": ("Three.", "http"),
    }


def test_what_is_put_and_then_deleted_is_gone(service):
    wanted = [put("towers", "New."), Delete("towers")]
    assert change_documents(service, wanted).outcomes == ["replaced", "deleted"]
    assert sorted(stored(service.settings.index)) == ["trams"]


def test_where_nothing_is_there_to_delete_nothing_is_made(service):
    before = current_generation(service.settings.index)
    nothing = Made([Outcome.UNKNOWN, Outcome.UNKNOWN], None)
    assert change_documents(service, [Delete("a"), Delete("b")]) == nothing
    assert current_generation(service.settings.index) == before


def test_terms_are_those_of_the_source_and_stay_unless_given(service):
    change_documents(service, [put("a", "A.", licence="CC0"), put("b", "B.", attribution="Ann")])
    change_documents(service, [put("c", "C.")])
    last = open_index(service.settings.index, HashingEncoder()).manifest.sources[-1]
    assert (last.name, last.kind, last.documents) == ("http", "http", 3)
    assert (last.licence, last.attribution) == ("CC0", "Ann")


def test_a_source_that_loses_its_last_document_goes_as_it_does_with_the_command(service):
    def sources() -> list[tuple[str, int]]:
        manifest = open_index(service.settings.index, HashingEncoder()).manifest
        return [(source.name, source.documents) for source in manifest.sources]

    change_documents(service, [put("a", "A."), put("b", "B.")])
    assert sources() == [("texts.jsonl", 2), ("http", 2)]
    moved = Put(Document("a", "a", "A.", source="notes"))
    change_documents(service, [Delete("b"), moved])
    assert sources() == [("texts.jsonl", 2), ("notes", 1)]
    change_documents(service, [Delete("a")])
    assert sources() == [("texts.jsonl", 2)]


def test_a_promise_of_accuracy_ends_with_no_change(service):
    promising = replace(service, settings=service.settings.model_copy(update={"target_accuracy": 0.7}))
    with pytest.raises(ChangeRefusedError, match="promises a target accuracy"):
        change_documents(promising, [Delete("trams")])
    assert len(stored(service.settings.index)) == 2
