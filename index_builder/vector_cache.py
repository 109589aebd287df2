"""Vectors by sha256 of their text, kept beside the index: an interrupted or repeated build embeds less."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Self

import numpy as np

from retriever.encoder import Encoder, FloatArray


def cache_key(text: str) -> bytes:
    """The key of a passage input."""
    return hashlib.sha256(text.encode()).digest()


_TOLERANCE = 1e-3


class VectorCache:
    """A SQLite file of one encoder's vectors. Each ``put`` is on disk when it returns."""

    def __init__(self, connection: sqlite3.Connection, dimension: int) -> None:
        self._connection, self._dimension = connection, dimension

    @classmethod
    @contextmanager
    def open(cls, directory: Path, encoder: Encoder) -> Iterator[Self]:
        """The cache for this encoder under the index folder, made when it is not there.

        A cache that cannot be read is only lost time: it is thrown away and begun anew.
        """
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"vectors-{encoder.sha256[:16]}-{encoder.precision}.sqlite"
        connection = cls._connect(path)
        if not _is_whole(connection):
            connection.close()
            for file in (path, path.with_name(f"{path.name}-journal")):
                file.unlink(missing_ok=True)
            connection = cls._connect(path)
        with closing(connection), connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS vectors"
                " (key BLOB PRIMARY KEY, vector BLOB NOT NULL, digest BLOB NOT NULL) STRICT, WITHOUT ROWID"
            )
            _seal_earlier(connection)
            yield cls(connection, encoder.dimension)

    @staticmethod
    def _connect(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path)

    def held(self) -> Iterator[bytes]:
        """The keys that it holds a sound vector for, one by one: one of length 1 (L2), and as it was put there."""
        entries = self._connection.execute("SELECT key, vector, digest FROM vectors")
        return (key for key, stored, digest in entries if self._is_sound(key, stored, digest))

    def _is_sound(self, key: bytes, stored: bytes, digest: bytes) -> bool:
        if len(stored) != 4 * self._dimension or digest != _digest(key, stored):
            return False
        return bool(abs(np.linalg.norm(np.frombuffer(stored, dtype="<f4")) - 1) < _TOLERANCE)

    def put(self, keys: Sequence[bytes], vectors: FloatArray) -> None:
        """Keep vectors, shape (keys, dimension)."""
        with self._connection:
            stored = [vector.astype("<f4").tobytes() for vector in vectors]
            self._connection.executemany(
                "INSERT OR REPLACE INTO vectors (key, vector, digest) VALUES (?, ?, ?)",
                [(key, vector, _digest(key, vector)) for key, vector in zip(keys, stored, strict=True)],
            )

    def gathered(self, keys: Sequence[bytes], folder: Path) -> FloatArray:
        """The vectors of these keys, shape (keys, dimension), all of which must be held.

        They are mapped from a file in ``folder`` that is gone when they are.
        """
        with TemporaryFile(dir=folder) as file:
            for key in keys:
                query = self._connection.execute("SELECT vector FROM vectors WHERE key = ?", (key,))
                file.write(query.fetchone()[0])
            file.flush()
            return np.memmap(file, dtype="<f4", mode="r", shape=(len(keys), self._dimension))

    def keep_only(self, keys: Iterable[bytes]) -> int:
        """Drop the vectors of all other keys: what vanished from the corpus vanishes here. How many they were."""
        wanted = set(keys)
        held = self._connection.execute("SELECT key FROM vectors")
        vanished = [(key,) for (key,) in held if key not in wanted]
        with self._connection:
            self._connection.executemany("DELETE FROM vectors WHERE key = ?", vanished)
        return len(vanished)


def _digest(key: bytes, stored: bytes) -> bytes:
    return hashlib.blake2b(key + stored, digest_size=16).digest()


def _seal_earlier(connection: sqlite3.Connection) -> None:
    """Give the entries of an earlier version, which kept no digests, one: as they are, rather than embed all anew."""
    if "digest" in {column for _, column, *_ in connection.execute("PRAGMA table_info(vectors)")}:
        return
    connection.create_function("digest_of", 2, _digest, deterministic=True)
    connection.execute("BEGIN IMMEDIATE")  # else the column stays, empty, where the digests do not come
    connection.execute("ALTER TABLE vectors ADD COLUMN digest BLOB NOT NULL DEFAULT x''")
    connection.execute("UPDATE vectors SET digest = digest_of(key, vector)")
    connection.commit()


def _is_whole(connection: sqlite3.Connection) -> bool:
    try:
        return bool(connection.execute("PRAGMA quick_check").fetchone() == ("ok",))
    except sqlite3.OperationalError:  # a full disk or a locked file is not damage
        raise
    except sqlite3.DatabaseError:
        return False
