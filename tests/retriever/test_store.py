import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import DocumentNotFoundError, IndexUnusableError
from retriever.passages import PassageSettings, split
from retriever.store import DocumentStore, DuplicateDocumentError
from retriever.types import Document

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
