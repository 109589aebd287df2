import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import DocumentNotFoundError, IndexUnusableError
from retriever.store import DocumentStore, DuplicateDocumentError
from retriever.text.passages import PassageDraft, PassageSettings, split
from retriever.types import Block, BlockKind, Document, Locator, Span

ALPHABET = "aab .\n\r\0\u0301é😀\u2028"


@given(st.text(ALPHABET, max_size=60), st.text(ALPHABET, max_size=8))
def test_a_text_comes_back_code_point_by_code_point(text, title):
    store = DocumentStore.create()
    document = Document("a/b?c=%20", title, text, None, {"n": [1, "é"], "none": None})
    store.add(document, list(split(document, PassageSettings(words=2))), location="x:1")
    assert store.document("a/b?c=%20") == document
    drafts = split(document, PassageSettings(words=2))
    for passage, draft in zip(store.each_passage(), drafts, strict=True):
        assert passage.continuation == text[draft.span.end : draft.continuation_end]
        assert passage.span.of(text) == passage.text
        assert text[passage.span.start :].startswith(passage.window)


def test_passages_come_in_the_order_asked_for(index):
    rows = index.store.rows().tolist()
    asked = rows[::-1]
    assert [passage.row for passage in index.store.passages(asked)] == asked
    assert index.store.passages([]) == []


def test_a_second_document_of_an_id_names_the_first(documents):
    store = DocumentStore.create()
    store.add(documents[0], [], location="a.jsonl:1")
    with pytest.raises(DuplicateDocumentError) as caught:
        store.add(documents[0], [], location="b.jsonl:7")
    assert caught.value.location == "a.jsonl:1"


def test_an_unknown_id_is_a_sentence(index):
    with pytest.raises(DocumentNotFoundError, match="No document has the id 'nowhere'"):
        index.store.document("nowhere")


def test_an_opened_store_is_read_only_and_leaves_nothing_beside_it(tmp_path, documents):
    path = tmp_path / "documents.sqlite"
    store = DocumentStore.create(path)
    store.add(documents[0], list(split(documents[0], PassageSettings())), location="x")
    store.commit()
    store.close()
    opened = DocumentStore.open(path)
    assert opened.document(documents[0].doc_id) == documents[0]
    with pytest.raises(Exception, match="readonly"):
        opened.add(documents[1], [], location="y")
    assert [file.name for file in tmp_path.iterdir()] == ["documents.sqlite"]
    opened.close()


def test_a_file_that_is_no_store_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "documents.sqlite").write_bytes(b"nonsense" * 1000)
    with pytest.raises(IndexUnusableError, match="is not a readable document store; build it again"):
        DocumentStore.open(tmp_path / "documents.sqlite")


def test_many_threads_may_look_documents_up_at_once(documents):
    store = DocumentStore.create()
    for document in documents:
        store.add(document, list(split(document, PassageSettings(words=5))), location="x")
    rows = store.rows().tolist()

    def look_up(number: int) -> bool:
        document = documents[number % len(documents)]
        passages = store.passages(rows)
        return store.document(document.doc_id) == document and [p.row for p in passages] == rows

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(look_up, range(2000)))


@pytest.mark.parametrize("source", ["notes", None])
def test_documents_and_passages_say_their_source_and_address(source):
    store = DocumentStore.create()
    document = Document("a", "A", "One two.", "https://example.org/a", source=source)
    store.add(document, list(split(document, PassageSettings())), location="x")
    [(stored, _)] = store.each_document()
    assert store.document("a") == stored == document
    [passage] = store.passages([1])
    assert (passage.source, passage.url) == (source, "https://example.org/a")
    assert list(store.each_passage()) == [passage]


@pytest.mark.parametrize("source", ["notes", None])
def test_a_store_of_a_version_that_recorded_no_sources_has_the_one_it_is_opened_with(tmp_path, source):
    path = tmp_path / "documents.sqlite"
    store = DocumentStore.create(path)
    document = Document("a", "A", "One two.")
    store.add(document, list(split(document, PassageSettings())), location="x")
    store.commit()
    store.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE sources")
        connection.commit()
    opened = DocumentStore.open(path, source=source)
    assert opened.document("a").source == source
    assert opened.passages([1])[0].source == source
    assert [file.name for file in tmp_path.iterdir()] == ["documents.sqlite"]
    opened.close()


BLOCKS = (
    Block(BlockKind.HEADING, Span(0, 6)),
    Block(BlockKind.PARAGRAPH, Span(8, 27), ("Boiler",), Locator.page(3)),
)


def stored_with_blocks(path: Path, documents: Sequence[Document]) -> Document:
    document = Document("boiler", "Boiler", "Boiler\n\nServiced every May.\n", blocks=BLOCKS)
    store = DocumentStore.create(path)
    for each in (*documents, document):
        store.add(each, list(split(each, PassageSettings())), location="x")
    store.commit()
    store.close()
    return document


def test_a_document_keeps_its_blocks_and_one_without_has_none(tmp_path, documents):
    document = stored_with_blocks(tmp_path / "documents.sqlite", documents)
    opened = DocumentStore.open(tmp_path / "documents.sqlite")
    assert opened.document("boiler").blocks == BLOCKS
    assert opened.document(documents[0].doc_id).blocks == ()
    assert [stored for stored, _ in opened.each_document()] == [*documents, document]


def test_a_passage_keeps_the_headings_that_it_stands_under(tmp_path, documents):
    document = Document(
        "boiler", "Boiler", "Serviced. Every May.", blocks=(Block(BlockKind.ITEM, Span(0, 20), ("é", "b")),)
    )
    store = DocumentStore.create(tmp_path / "documents.sqlite")
    for each in (*documents, document):
        store.add(each, list(split(each, PassageSettings())), location="x")
    store.commit()
    store.close()
    opened = DocumentStore.open(tmp_path / "documents.sqlite")
    *others, last = opened.each_passage()
    assert last.headings == ("é", "b")
    assert last.heading == "Boiler > é > b"
    assert opened.passages([last.row]) == [last]
    assert {passage.headings for passage in others} == {()}


def test_a_store_from_before_there_were_blocks_opens_as_plain_text(tmp_path, documents):
    document = stored_with_blocks(tmp_path / "documents.sqlite", documents)
    with closing(sqlite3.connect(tmp_path / "documents.sqlite")) as connection:
        connection.execute("DROP TABLE blocks")
        connection.execute("ALTER TABLE passages DROP COLUMN headings")
    opened = DocumentStore.open(tmp_path / "documents.sqlite")
    assert opened.document("boiler") == replace(document, blocks=())
    assert [stored.doc_id for stored, _ in opened.each_document()][-1] == "boiler"
    assert {passage.headings for passage in opened.each_passage()} == {()}


def test_what_is_taken_from_other_stores_stands_by_id_and_of_one_id_the_last_counts(tmp_path, documents):
    def filled(name: str, *texts: tuple[str, str]) -> DocumentStore:
        store = DocumentStore.create(tmp_path / name)
        for doc_id, text in texts:
            document = Document(doc_id, "T", text, metadata={"n": 1}, source=name)
            halves = [PassageDraft(Span(0, 2), 4, ("H",)), PassageDraft(Span(2, 4), 4)]
            store.add(document, halves, location=f"{name}:1")
        return store

    older = filled("older", ("b", "bold"), ("é", "east"), ("a", "away"), ("c", "cold"))
    newer = filled("newer", ("c", "calm"), ("B", "boat"))
    merged = DocumentStore.create()
    merged.take([older, newer], without={"a"})
    assert [(document.doc_id, document.text, document.source) for document, _ in merged.each_document()] == [
        ("B", "boat", "newer"),
        ("b", "bold", "older"),
        ("c", "calm", "newer"),
        ("é", "east", "older"),
    ]
    passages = [(p.row, p.doc_id, p.text, p.continuation, p.headings) for p in merged.each_passage()]
    assert passages[:4] == [
        (1, "B", "bo", "at", ("H",)),
        (2, "B", "at", "", ()),
        (3, "b", "bo", "ld", ("H",)),
        (4, "b", "ld", "", ()),
    ]
    assert merged.rows().tolist() == list(range(1, 9))
    assert merged.document("c").metadata == {"n": 1}
    assert merged.count_by_source() == {"newer": 2, "older": 2}
    assert merged.ids() == ["B", "b", "c", "é"]
    assert merged.ids(source="older") == ["b", "é"]
    assert (merged.source_of("c"), merged.source_of("a")) == ("newer", None)


def test_blocks_are_taken_along(tmp_path, documents):
    document = stored_with_blocks(tmp_path / "documents.sqlite", documents)
    with closing(DocumentStore.open(tmp_path / "documents.sqlite", source="notes")) as store:
        merged = DocumentStore.create()
        merged.take([store])
    assert merged.document("boiler") == replace(document, source="notes")
    assert merged.count_by_source() == {"notes": 4}
