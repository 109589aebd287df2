"""Vectors by sha256 of their text, kept beside the index: an interrupted or repeated build embeds less."""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np

from retriever.encoder import Encoder, FloatArray


def cache_key(text: str) -> bytes:
    """The key of a passage input."""
    return hashlib.sha256(text.encode()).digest()


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
        try:
            connection = cls._connect(path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # a full disk or a locked file is not damage
                raise
            path.unlink()
            connection = cls._connect(path)
        try:
            yield cls(connection, encoder.dimension)
        finally:
            connection.close()

    @staticmethod
    def _connect(path: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(path)
        connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) STRICT, WITHOUT ROWID"
        )
        return connection

    def missing(self, keys: Iterable[bytes]) -> set[bytes]:
        """Those of the keys that it holds no vector for."""
        held = {key for (key,) in self._connection.execute("SELECT key FROM vectors")}
        return set(keys) - held

    def put(self, keys: Sequence[bytes], vectors: FloatArray) -> None:
        """Keep vectors, shape (keys, dimension)."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO vectors (key, vector) VALUES (?, ?)",
                [(key, vector.astype("<f4").tobytes()) for key, vector in zip(keys, vectors, strict=True)],
            )

    def get(self, keys: Sequence[bytes]) -> FloatArray:
        """The vectors of these keys, shape (keys, dimension), all of which must be held."""
        vectors = np.empty((len(keys), self._dimension), dtype=np.float32)
        for place, key in enumerate(keys):
            query = self._connection.execute("SELECT vector FROM vectors WHERE key = ?", (key,))
            vectors[place] = np.frombuffer(query.fetchone()[0], dtype="<f4")
        return vectors

    def keep_only(self, keys: Iterable[bytes]) -> None:
        """Drop the vectors of all other keys: what vanished from the corpus vanishes here."""
        wanted = set(keys)
        held = [key for (key,) in self._connection.execute("SELECT key FROM vectors")]
        with self._connection:
            self._connection.executemany(
                "DELETE FROM vectors WHERE key = ?", [(key,) for key in held if key not in wanted]
            )
