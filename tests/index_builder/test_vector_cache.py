import sqlite3
import tracemalloc
from contextlib import closing

import numpy as np
import pytest

from index_builder import vector_cache
from index_builder.vector_cache import VectorCache, cache_key
from retriever.encoder import HashingEncoder

TEXTS = [f"tower {number}" for number in range(400)]
KEYS = [cache_key(text) for text in TEXTS]


@pytest.fixture
def filled(tmp_path, encoder):
    with VectorCache.open(tmp_path, encoder) as cache:
        cache.put(KEYS, encoder.encode_passages(TEXTS))
    (path,) = tmp_path.iterdir()
    return path


def test_vectors_come_back_in_the_order_asked_for(tmp_path, filled, encoder):
    with VectorCache.open(tmp_path, encoder) as cache:
        assert set(cache.held()) == set(KEYS)
        assert np.array_equal(cache.gathered(KEYS[::-1], tmp_path), encoder.encode_passages(TEXTS[::-1]))


def test_what_is_not_kept_is_gone(tmp_path, filled, encoder):
    with VectorCache.open(tmp_path, encoder) as cache:
        assert cache.keep_only(KEYS[:3]) == len(KEYS) - 3
        assert set(cache.held()) == set(KEYS[:3])


@pytest.mark.parametrize("place", [0, 5000])
def test_a_damaged_cache_is_begun_anew(tmp_path, filled, encoder, place):
    content = bytearray(filled.read_bytes())
    content[place : place + 3000] = b"\xff" * 3000
    filled.write_bytes(content)
    with VectorCache.open(tmp_path, encoder) as cache:
        assert set(cache.held()) == set()
        cache.put(KEYS[:1], encoder.encode_passages(TEXTS[:1]))
        assert np.array_equal(cache.gathered(KEYS[:1], tmp_path), encoder.encode_passages(TEXTS[:1]))


def test_a_vector_that_is_not_of_length_one_counts_as_missing(tmp_path, filled, encoder):
    with sqlite3.connect(filled) as connection:
        connection.execute("UPDATE vectors SET vector = zeroblob(1024) WHERE key = ?", (KEYS[7],))
        connection.execute("UPDATE vectors SET vector = x'00' WHERE key = ?", (KEYS[8],))
    connection.close()
    with VectorCache.open(tmp_path, encoder) as cache:
        assert set(cache.held()) == set(KEYS) - {KEYS[7], KEYS[8]}


def test_each_encoder_and_precision_has_its_own(tmp_path, filled):
    with VectorCache.open(tmp_path, HashingEncoder(128)) as cache:
        assert set(cache.held()) == set()


def test_every_flipped_bit_of_a_vector_is_found_its_sign_too(tmp_path, filled, encoder):
    with closing(sqlite3.connect(filled)) as connection:
        flipped = bytearray(
            connection.execute("SELECT vector FROM vectors WHERE key = ?", KEYS[7:8]).fetchone()[0]
        )
        place = next(place for place in range(3, len(flipped), 4) if flipped[place])
        flipped[place] ^= 0x80  # -x for x: the length stays 1
        connection.execute("UPDATE vectors SET vector = ? WHERE key = ?", (bytes(flipped), KEYS[7]))
        connection.commit()
    with VectorCache.open(tmp_path, encoder) as cache:
        assert set(cache.held()) == set(KEYS) - {KEYS[7]}


def test_a_vector_under_another_key_is_found(tmp_path, filled, encoder):
    with closing(sqlite3.connect(filled)) as connection:
        query = "UPDATE vectors SET (vector, digest) = (SELECT vector, digest FROM vectors WHERE key = ?) WHERE key = ?"
        connection.execute(query, (KEYS[8], KEYS[7]))
        connection.commit()
    with VectorCache.open(tmp_path, encoder) as cache:
        assert set(cache.held()) == set(KEYS) - {KEYS[7]}


def test_vectors_of_an_earlier_version_are_kept_and_get_digests(tmp_path, filled, encoder):
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("ALTER TABLE vectors DROP COLUMN digest")
        connection.commit()
    with VectorCache.open(tmp_path, encoder) as cache:
        assert set(cache.held()) == set(KEYS)
        assert np.array_equal(cache.gathered(KEYS, tmp_path), encoder.encode_passages(TEXTS))
    with closing(sqlite3.connect(filled)) as connection:
        assert {len(digest) for (digest,) in connection.execute("SELECT digest FROM vectors")} == {16}


def test_where_the_digests_do_not_come_the_earlier_table_stays_and_no_vector_is_lost(
    tmp_path, filled, encoder, monkeypatch
):
    def dies(*_: bytes) -> bytes:
        raise MemoryError

    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("ALTER TABLE vectors DROP COLUMN digest")
        connection.commit()
    with monkeypatch.context() as broken:
        broken.setattr(vector_cache, "_digest", dies)
        with pytest.raises((sqlite3.OperationalError, MemoryError)), VectorCache.open(tmp_path, encoder):
            pass
    with closing(sqlite3.connect(filled)) as connection:
        columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(vectors)")]
    assert columns == ["key", "vector"]
    with VectorCache.open(tmp_path, encoder) as cache:
        assert set(cache.held()) == set(KEYS)


def test_what_it_holds_is_never_in_memory_as_a_whole(tmp_path, filled, encoder):
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("ALTER TABLE vectors DROP COLUMN digest")
        connection.commit()
    tracemalloc.start()
    try:
        with VectorCache.open(tmp_path, encoder) as cache:
            assert sum(1 for _ in cache.held()) == len(KEYS)
            vectors = cache.gathered(KEYS, tmp_path)
            assert cache.keep_only(KEYS) == 0
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert vectors.nbytes > 400_000
    assert peak < 150_000


def test_gathered_vectors_leave_no_file(tmp_path, filled, encoder):
    with VectorCache.open(tmp_path, encoder) as cache:
        vectors = cache.gathered(KEYS[5:7], tmp_path)
    assert list(tmp_path.iterdir()) == [filled]
    assert np.array_equal(vectors, encoder.encode_passages(TEXTS[5:7]))
