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
                "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL)"
                " STRICT, WITHOUT ROWID"
            )
            yield cls(connection, encoder.dimension)

    @staticmethod
    def _connect(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path)

    def missing(self, keys: Iterable[bytes]) -> set[bytes]:
        """Those of the keys that it holds no sound vector for: one of length 1 (L2)."""
        return {key for key in keys if not self._holds(key)}

    def _holds(self, key: bytes) -> bool:
        stored = self._stored(key)
        return stored is not None and self._is_sound(stored)

    def _stored(self, key: bytes) -> bytes | None:
        found = self._connection.execute("SELECT vector FROM vectors WHERE key = ?", (key,)).fetchone()
        return None if found is None else bytes(found[0])

    def _held(self, key: bytes) -> bytes:
        stored = self._stored(key)
        if stored is None:
            raise KeyError(key.hex())
        return stored

    def _is_sound(self, stored: bytes) -> bool:
        if len(stored) != 4 * self._dimension:
            return False
        return bool(abs(np.linalg.norm(np.frombuffer(stored, dtype="<f4")) - 1) < _TOLERANCE)

    def put(self, keys: Sequence[bytes], vectors: FloatArray) -> None:
        """Keep vectors, shape (keys, dimension)."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO vectors (key, vector) VALUES (?, ?)",
                [(key, vector.astype("<f4").tobytes()) for key, vector in zip(keys, vectors, strict=True)],
            )

    def get(self, keys: Sequence[bytes]) -> FloatArray:
        """The vectors of these keys, shape (keys, dimension), all of which must be held."""
        stored = b"".join(map(self._held, keys))
        return np.frombuffer(stored, dtype="<f4").reshape(len(keys), self._dimension)

    def gathered(self, keys: Sequence[bytes], folder: Path) -> FloatArray:
        """What ``get`` gives, mapped from a file in ``folder`` that is gone when the vectors are."""
        with TemporaryFile(dir=folder) as file:
            for key in keys:
                file.write(self._held(key))
            file.flush()
            return np.memmap(file, dtype="<f4", mode="r", shape=(len(keys), self._dimension))

    def keep_only(self, keys: Iterable[bytes]) -> None:
        """Drop the vectors of all other keys: what vanished from the corpus vanishes here."""
        with self._connection:
            self._connection.execute("CREATE TEMP TABLE wanted (key BLOB PRIMARY KEY) STRICT, WITHOUT ROWID")
            self._connection.executemany(
                "INSERT OR IGNORE INTO wanted (key) VALUES (?)", ((key,) for key in keys)
            )
            self._connection.execute("DELETE FROM vectors WHERE key NOT IN (SELECT key FROM wanted)")
            self._connection.execute("DROP TABLE wanted")


def _is_whole(connection: sqlite3.Connection) -> bool:
    try:
        return bool(connection.execute("PRAGMA quick_check").fetchone() == ("ok",))
    except sqlite3.OperationalError:  # a full disk or a locked file is not damage
        raise
    except sqlite3.DatabaseError:
        return False
