"""The chunk database: what is cut, found and given back, and that nothing is lost when a build stops."""

import numpy as np
import pytest
from rich.console import Console

from app.answering.retro.tokenizer import RetroTokenizer
from common.errors import ChangeRefusedError, IndexUnusableError
from index_builder import chunk_database as builder
from index_builder.chunk_database import build_chunk_database, document_text
from retriever.chunk_database import NO_CHUNK, NO_TOKEN, ChunkDatabase, ChunkSearch, require_encoder
from retriever.encoder import HashingEncoder
from retriever.types import Document
from tests.tiny_models import byte_tokenizer

CHUNK = 8
QUIET = Console(quiet=True)
DOCUMENTS = [
    Document("tower", "", "The tower has nine bells and a clock."),
    Document("empty", "", ""),
    Document("bridge", "Bridge", "The bridge has nine arches."),
    Document("sea", "", "Salt."),
]


class CountingEncoder(HashingEncoder):
    def __init__(self):
        super().__init__()
        self.encoded = 0

    def encode_passages(self, texts):
        self.encoded += len(texts)
        return super().encode_passages(texts)


@pytest.fixture
def tokenizer():
    return RetroTokenizer(byte_tokenizer())


@pytest.fixture
def folder(tmp_path, tokenizer):
    build_chunk_database(
        DOCUMENTS, tmp_path / "chunks", tokenizer, HashingEncoder(), QUIET, chunk=CHUNK, engine="flat"
    )
    return tmp_path / "chunks"


def test_documents_are_cut_into_chunks_and_given_back_with_their_continuation(folder, tokenizer):
    database = ChunkDatabase.open(folder)
    texts = [document_text(document) for document in DOCUMENTS]
    lengths = [len(text) for text in texts]  # a byte is a token

    assert texts[2] == "Bridge\n\nThe bridge has nine arches."
    assert database.about.documents == 4
    assert database.about.tokens == sum(lengths)
    assert len(database) == sum(-(-length // CHUNK) for length in lengths)
    chunk = 0
    for number, text in enumerate(texts):
        assert tokenizer.texts([database.document(number).tolist()]) == [text]
        for at in range(0, len(text), CHUNK):
            value = database.values(np.array([chunk]))[0]
            assert database.document_of(np.array([chunk])).tolist() == [number]
            assert tokenizer.texts([value[value != NO_TOKEN].tolist()]) == [text[at : at + 2 * CHUNK]]
            assert (value[len(text[at : at + 2 * CHUNK]) :] == NO_TOKEN).all()
            chunk += 1


def test_no_chunk_has_a_value_of_nothing(folder):
    values = ChunkDatabase.open(folder).values(np.array([[0, NO_CHUNK]]))
    assert values.shape == (1, 2, 2 * CHUNK)
    assert (values[0, 1] == NO_TOKEN).all()
    assert (values[0, 0] != NO_TOKEN).all()


def test_the_nearest_chunks_are_those_of_brute_force_and_of_other_documents(folder, tokenizer):
    database = ChunkDatabase.open(folder)
    keys = HashingEncoder().encode_passages([" has nine", "Salt."])
    scores = keys @ database.keys.astype(np.float32).T
    best = np.argsort(-scores, axis=1, kind="stable")[:, :3]

    assert database.nearest(keys, k=3).tolist() == best.tolist()
    without = database.nearest(keys, k=len(database), not_of=[0, 3])
    for row, document in zip(without, (0, 3), strict=True):
        there = row[row != NO_CHUNK]
        assert document not in database.document_of(there)
        its = int(np.diff(database.first_chunks)[document])
        assert len(there) == len(database) - its
        assert (row[len(there) :] == NO_CHUNK).all()


def test_without_an_encoder_chunks_are_found_by_their_words(tmp_path, tokenizer):
    build_chunk_database(DOCUMENTS, tmp_path / "chunks", tokenizer, None, QUIET, chunk=16)
    database = ChunkDatabase.open(tmp_path / "chunks")
    texts = tokenizer.texts(database.values(np.arange(len(database)))[:, :16].clip(0).tolist())
    salt, bells = (
        next(place for place, text in enumerate(texts) if word in text) for word in ("Salt", "bells")
    )

    assert ChunkSearch(database, None).nearest(["salt, salt!", "quartz"], k=2).tolist() == [
        [salt, NO_CHUNK],
        [NO_CHUNK, NO_CHUNK],
    ]
    assert database.alike(["the bells"], k=1).tolist() == [[bells]]
    of_others = database.alike(["has nine bells"], k=9, not_of=[0])[0]
    assert 0 not in database.document_of(of_others[of_others != NO_CHUNK])
    assert of_others[0] != NO_CHUNK  # the bridge has nine, too
    with pytest.raises(IndexUnusableError, match="has no keys"):
        database.nearest(np.zeros((1, 4), dtype=np.float32), k=1)
    with pytest.raises(IndexUnusableError, match="were made by bm25, but hashing is to search them"):
        ChunkSearch(database, HashingEncoder())


def test_a_database_of_keys_has_no_words(folder):
    with pytest.raises(IndexUnusableError, match="has no words"):
        ChunkDatabase.open(folder).alike(["salt"], k=1)


def test_a_chunk_of_a_long_document_finds_neighbours_in_others(tmp_path, tokenizer):
    long = Document("long", "", "The bells ring. " * 60)
    build_chunk_database(
        [long, *DOCUMENTS],
        tmp_path / "chunks",
        tokenizer,
        HashingEncoder(),
        QUIET,
        chunk=CHUNK,
        engine="flat",
    )
    database = ChunkDatabase.open(tmp_path / "chunks")
    rows = database.nearest(database.keys[:20].astype(np.float32), k=2, not_of=[0] * 20)
    assert (rows != NO_CHUNK).all()
    assert 0 not in database.document_of(rows)


def test_what_a_killed_build_left_is_cleared_away(tmp_path, tokenizer):
    parts = tmp_path / "chunks-parts"
    parts.mkdir()
    (parts / "x.npz.0123.part").write_bytes(b"torn")
    (parts / ".unfinished-joined.0123abcd").mkdir()
    (parts / "joined").mkdir()
    build_chunk_database(DOCUMENTS, tmp_path / "chunks", tokenizer, HashingEncoder(), QUIET, chunk=CHUNK)
    assert [path.name for path in tmp_path.iterdir()] == ["chunks"]


def test_a_build_that_stopped_goes_on_and_ends_with_the_same_database(
    tmp_path, folder, tokenizer, monkeypatch
):
    monkeypatch.setattr(builder, "_DOCUMENTS_IN_A_PART", 1)
    out = tmp_path / "again" / "chunks"

    def dying():
        yield from DOCUMENTS[:3]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_chunk_database(dying(), out, tokenizer, HashingEncoder(), QUIET, chunk=CHUNK, engine="flat")
    assert not out.exists()

    encoder = CountingEncoder()
    build_chunk_database(DOCUMENTS, out, tokenizer, encoder, QUIET, chunk=CHUNK, engine="flat")

    assert encoder.encoded == 1  # the last document's only chunk
    whole, again = ChunkDatabase.open(folder), ChunkDatabase.open(out)
    assert np.array_equal(whole.tokens, again.tokens)
    assert np.array_equal(whole.keys, again.keys)
    assert whole.about == again.about
    assert [path.name for path in out.parent.iterdir()] == ["chunks"]


@pytest.mark.parametrize("name", ["about.json", "tokens.npy", "documents.npy", "keys.npy", "nearest.faiss"])
def test_a_file_that_is_missing_is_told(folder, name):
    (folder / name).unlink()
    with pytest.raises(IndexUnusableError, match=r"no (whole )?chunk database|not a readable FAISS index"):
        ChunkDatabase.open(folder)


def test_a_file_of_another_database_is_told(tmp_path, folder, tokenizer):
    other = tmp_path / "other"
    build_chunk_database(DOCUMENTS[:1], other, tokenizer, HashingEncoder(), QUIET, chunk=CHUNK)
    (other / "tokens.npy").replace(folder / "tokens.npy")
    with pytest.raises(IndexUnusableError, match="damaged"):
        ChunkDatabase.open(folder)


def test_what_is_there_is_not_overwritten(folder, tokenizer):
    with pytest.raises(ChangeRefusedError, match="is there already"):
        build_chunk_database(DOCUMENTS, folder, tokenizer, HashingEncoder(), QUIET)


@pytest.mark.parametrize("documents", [[], [Document("empty", "", "")]])
def test_nothing_to_cut_is_refused(tmp_path, tokenizer, documents):
    with pytest.raises(ChangeRefusedError, match="would hold no text"):
        build_chunk_database(documents, tmp_path / "chunks", tokenizer, HashingEncoder(), QUIET)
    assert not (tmp_path / "chunks").exists()


def test_another_encoder_is_refused(folder):
    about = ChunkDatabase.open(folder).about
    require_encoder(about, HashingEncoder())
    with pytest.raises(IndexUnusableError, match="search with hashing"):
        require_encoder(about, HashingEncoder(dimension=8))
