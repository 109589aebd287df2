"""What an index tells of itself, to whom everything is open and to whom some documents are."""

from dataclasses import replace

from app.service.index_description import index_response_of
from retriever.encoder import HashingEncoder
from retriever.fields import DocumentFields
from retriever.filters import Filter
from retriever.index_writer import index_in_memory
from retriever.manifest import Counts, EncoderIdentity, Manifest, PassageRecord, SourceRecord
from retriever.text.passages import PassageSettings
from retriever.types import Document

DOCUMENTS = [
    Document(
        "a/1", "", "One two three four. Five six seven.", metadata={"team": "a", "floor": 1}, source="attic"
    ),
    Document("a/2", "", "One two three.", metadata={"team": "a"}, source="attic"),
    Document("a/3", "", "One two three.", metadata={"team": "a"}, source="cellar"),
    Document("b/1", "", "One two three.", metadata={"team": "b", "secret": 1}, source="cellar"),
    Document("b/2", "", "One two three.", metadata={"team": "b"}, source="vault"),
]


def record(name: str, documents: int) -> SourceRecord:
    return SourceRecord(
        name=name,
        kind="folder",
        licence="CC0-1.0",
        snapshot=None,
        attribution=None,
        documents=documents,
        malformed=7,
        passed_over={".odt": 3},
    )


def described(allowed: Filter | None):
    encoder, settings = HashingEncoder(), PassageSettings(words=4)
    index = index_in_memory(DOCUMENTS, encoder, settings)
    manifest = Manifest(
        format_version=2,
        created_at="2026-11-30T00:00:00+00:00",
        loccit_version="0",
        encoder=EncoderIdentity.of(encoder),
        passages=PassageRecord(words=4, continuation_words=100),
        counts=Counts(documents=5, passages=len(index.store.rows())),
        sources=(record("attic", 2), record("cellar", 2), record("vault", 1)),
        files={},
    )
    return index_response_of(replace(index, generation="g", manifest=manifest), allowed=allowed)


def test_without_a_limit_it_is_the_manifest_with_the_fields():
    told = described(None)
    assert [(source.name, source.documents, source.malformed) for source in told.sources] == [
        ("attic", 2, 7),
        ("cellar", 2, 7),
        ("vault", 1, 7),
    ]
    assert told.counts == Counts(documents=5, passages=6)
    assert told.fields == {"document_id": 5, "source": 5, "licence": 5, "floor": 1, "secret": 1, "team": 5}


def test_within_a_limit_it_is_as_if_there_were_no_other_documents():
    told = described(Filter.of({"team": "a"}))
    assert told.counts == Counts(documents=3, passages=4)
    assert [source.model_dump() for source in told.sources] == [
        record("attic", 2).model_dump() | {"malformed": 0, "passed_over": {}},
        record("cellar", 1).model_dump() | {"malformed": 0, "passed_over": {}},
    ]
    assert told.fields == {"document_id": 3, "source": 3, "licence": 3, "floor": 1, "team": 3}


def test_documents_are_selected_once_however_many_sources_there_are(monkeypatch):
    selection, wanted = DocumentFields.selection, []
    monkeypatch.setattr(
        DocumentFields, "selection", lambda self, only: wanted.append(only) or selection(self, only)
    )
    only = Filter.of({"team": ["a", "b"]})
    assert [(source.name, source.documents) for source in described(only).sources] == [
        ("attic", 2),
        ("cellar", 2),
        ("vault", 1),
    ]
    assert wanted == [only]


def test_a_limit_that_nothing_meets_tells_of_nothing():
    told = described(Filter.of({"tenant": "a"}))
    assert (told.counts, told.sources, told.fields) == (Counts(documents=0, passages=0), [], {})
