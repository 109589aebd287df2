import time

import numpy as np
import pytest

from common.deadline import Deadline
from common.errors import DeadlineExceededError, GivenUpError, InvalidRequestError
from retriever.encoder import HashingEncoder, passage_input
from retriever.index import LEXICAL_FOLDER, STORE_FILE, VECTORS_FILE
from retriever.index_writer import IndexWriter, index_in_memory
from retriever.lexical import LexicalIndex
from retriever.store import DocumentStore, DuplicateDocumentError
from retriever.text.passages import PassageSettings
from retriever.types import Block, BlockKind, Document, Span
from retriever.vectors.engines import DEFAULT_ENGINE, load_vectors

SETTINGS = PassageSettings(words=14, continuation_words=20)


def test_what_is_written_to_a_folder_is_what_an_index_in_memory_holds(tmp_path, documents, index, encoder):
    writer = IndexWriter(SETTINGS, tmp_path)
    for document in documents:
        writer.add(document, location="x")
    vectors = writer.write_vectors(encoder.encode_passages(list(writer.passage_inputs())))
    lexical = writer.write_lexical()
    writer.store.commit()
    writer.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [STORE_FILE, LEXICAL_FOLDER, VECTORS_FILE]
    assert not list((tmp_path / LEXICAL_FOLDER).glob("*.lock"))
    assert list(DocumentStore.open(tmp_path / STORE_FILE).each_passage()) == list(index.store.each_passage())
    query = encoder.encode_queries(["horse tram"])
    for written in (vectors, load_vectors(tmp_path / VECTORS_FILE, DEFAULT_ENGINE)):
        assert written.search(query, k=50) == index.vectors.search(query, k=50)
    for words in (lexical, LexicalIndex.open(tmp_path / LEXICAL_FOLDER)):
        assert words.search("horse tram", k=50) == index.lexical.search("horse tram", k=50) != []


def test_no_lock_file_comes_later(tmp_path, documents):
    writer = IndexWriter(SETTINGS, tmp_path)
    for document in documents:
        writer.add(document, location="x")
    lexical = writer.write_lexical()
    time.sleep(1.2)  # tantivy's own watcher looks twice a second
    assert not list((tmp_path / LEXICAL_FOLDER).glob("*.lock"))
    assert len(lexical) > 0
    writer.close()


def test_every_row_has_the_vector_of_its_passage(index, encoder):
    for passage in index.store.each_passage():
        (vector,) = encoder.encode_passages([passage_input(passage.title, passage.text)])
        assert index.vectors.scores(vector, [passage.row]) == pytest.approx([1.0])


def test_the_words_of_documents_added_later_are_not_indexed(documents):
    writer, told = IndexWriter(SETTINGS), []
    writer.add(documents[0], location="x")
    lexical = writer.write_lexical(lambda: told.append(1))
    rows = writer.store.rows().tolist()
    writer.add(documents[2], location="x")
    assert lexical.rows().tolist() == rows
    assert len(told) == len(rows) < len(writer.store.rows())


def test_a_second_document_of_an_id_is_refused(documents):
    writer = IndexWriter(SETTINGS)
    writer.add(documents[0], location="a.jsonl:1")
    with pytest.raises(DuplicateDocumentError):
        writer.add(documents[0], location="b.jsonl:1")
    with pytest.raises(InvalidRequestError, match=r"Two documents have the id 'lighthouses/eddystone'; give"):
        index_in_memory([documents[0], documents[0]], HashingEncoder(), SETTINGS)


class GivingUpAfter:
    """Encodes like the one it holds; with the batch of this number the deadline is given up."""

    def __init__(self, encoder, deadline, batches):
        self._encoder, self._deadline, self._batches = encoder, deadline, batches
        self.dimension, self.max_tokens, self.encoded = encoder.dimension, None, []

    def encode_passages(self, texts):
        self.encoded.append(len(texts))
        if len(self.encoded) == self._batches:
            self._deadline.give_up()
        return self._encoder.encode_passages(texts)


def many_passages():
    return [
        Document(f"d{n}", "Numbers", f"The number {n} is here. {'It is told again. ' * (n % 3)}")
        for n in range(50)
    ]


def test_an_index_in_memory_that_is_given_up_is_not_finished(encoder):
    deadline = Deadline()
    counting = GivingUpAfter(encoder, deadline, 2)
    with pytest.raises(GivenUpError, match="'index'"):
        index_in_memory(many_passages(), counting, SETTINGS, deadline=deadline)
    assert len(counting.encoded) == 2


def test_giving_up_is_seen_while_words_are_indexed(encoder, monkeypatch):
    deadline, added = Deadline(), []

    def add(_, passages):
        for passage in passages:
            added.append(passage)
            deadline.give_up()

    monkeypatch.setattr(LexicalIndex, "add", add)
    with pytest.raises(GivenUpError, match="'index'"):
        index_in_memory(many_passages(), encoder, SETTINGS, deadline=deadline)
    assert len(added) == 1


def test_the_time_allowed_holds_while_documents_are_split(encoder):
    with pytest.raises(DeadlineExceededError, match="'index'"):
        index_in_memory(many_passages(), encoder, SETTINGS, deadline=Deadline.after(0))


def test_vectors_encoded_by_length_stand_at_their_rows(encoder):
    index = index_in_memory(many_passages(), encoder, SETTINGS)
    for passage in index.store.each_passage():
        (vector,) = encoder.encode_passages([passage_input(passage.title, passage.text)])
        assert index.vectors.scores(vector, [passage.row]) == pytest.approx([1.0])


def test_no_documents_are_an_index_that_finds_nothing(encoder):
    index = index_in_memory([], encoder, SETTINGS)
    assert index.vectors.search(encoder.encode_queries(["tram"]), k=3) == [[]]
    assert index.vectors.rows().tolist() == index.store.rows().tolist() == []
    assert np.array_equal(index.lexical.rows(), index.store.rows())


def test_headings_are_embedded_and_found_with_the_passage_and_stand_in_no_text(encoder):
    block = Block(BlockKind.PARAGRAPH, Span(0, 19), ("Winter rules", "Frost"))
    index = index_in_memory(
        [Document("b", "Boiler", "Open it every hour.", blocks=(block,))], encoder, SETTINGS
    )
    (passage,) = index.store.each_passage()
    assert passage.text == "Open it every hour."
    (vector,) = encoder.encode_passages(["Boiler > Winter rules > Frost\nOpen it every hour."])
    assert index.vectors.scores(vector, [passage.row]) == pytest.approx([1.0])
    assert [hit.row for hit in index.lexical.search("frost", k=1)] == [passage.row]


def test_passages_are_no_longer_than_the_encoder_of_the_index_reads():
    encoder = HashingEncoder()
    encoder.max_tokens = 40
    index = index_in_memory([Document("d", "", "a " * 100)], encoder, PassageSettings(words=100))
    assert [len(passage.text.split()) for passage in index.store.each_passage()] == [34, 33, 33]


def test_what_is_embedded_is_folded_and_what_is_stored_is_not(encoder):
    text = "Hen\u00adrik was of\ufb01cer."
    index = index_in_memory([Document("d", "D", text)], encoder, SETTINGS)
    (passage,) = index.store.each_passage()
    assert passage.text == text
    (query,) = encoder.encode_queries(["D\nHenrik was of\u00adficer."])
    assert index.vectors.scores(query, [passage.row]) == pytest.approx([1.0])
    assert [hit.row for hit in index.lexical.search("henrik of\ufb01cer", k=1)] == [passage.row]
