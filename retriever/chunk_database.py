"""RETRO's database (Borgeaud et al. 2022, section 2.2): documents cut into chunks of tokens, found by a key of each.

A chunk is found by its key, the mean of a frozen encoder's token states, or by its words (BM25) without an encoder.
Its value is the chunk with the chunk after it in its document. Everything is mapped from disk, so a database may be
larger than memory.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from common.errors import IndexUnusableError
from retriever.encoder import Encoder, FloatArray
from retriever.lexical import LexicalIndex
from retriever.types import ScoredRow
from retriever.vectors.engines import load_vectors
from retriever.vectors.protocol import VectorIndex

Integers = npt.NDArray[np.int64]

NO_TOKEN = -1
"""Fills a value where its document has no more tokens."""
NO_CHUNK = -1
"""Fills a list of neighbours that is shorter than was asked for."""

ABOUT_FILE = "about.json"
TOKENS_FILE = "tokens.npy"
DOCUMENTS_FILE = "documents.npy"
KEYS_FILE = "keys.npy"
NEAREST_FILE = "nearest.faiss"
WORDS_FOLDER = "words"
BY_WORDS = "bm25"
"""Stands for an encoder where there is none: chunks are found by their words."""
_FORMAT = 1
_SEARCHED_BESIDE = 24
"""So many more are searched for than are wanted, at first, as those of the same document are dropped."""


@dataclass(frozen=True, slots=True)
class AboutChunks:
    """What a database is made of. ``chunk``: tokens of a chunk. ``tokenizer``, ``encoder``: hex sha256 of both;
    ``BY_WORDS`` where there is no encoder.
    """

    chunk: int
    tokenizer: str
    encoder_name: str
    encoder: str
    engine: str
    documents: int
    tokens: int
    chunks: int


class ChunkDatabase:
    """A finished database, opened for reading. Chunks and documents are numbered from 0, in the corpus's order."""

    def __init__(
        self,
        about: AboutChunks,
        tokens: npt.NDArray[np.int32],
        bounds: Integers,
        keys: npt.NDArray[np.float16] | None,
        index: VectorIndex | LexicalIndex,
    ) -> None:
        """``tokens``: of all documents, one after another. ``bounds``: where each begins, and where the last ends.

        ``keys``: (chunks, dimension). ``index``: the same, to be searched; without keys, the chunks' words.
        """
        self.about, self.tokens, self.bounds, self.keys = about, tokens, bounds, keys
        self._index = index
        self.first_chunks: Integers = first_chunks(bounds, about.chunk)

    @classmethod
    def open(cls, folder: Path) -> "ChunkDatabase":
        """The database in this folder.

        Raises:
            IndexUnusableError: when there is none, or it was written in another format or not to its end.
        """
        if not (folder / ABOUT_FILE).is_file():
            raise IndexUnusableError(
                f"There is no chunk database in {folder}; build one with `loccit train retrofit-data`."
            )
        try:
            about = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
            if about.pop("format") != _FORMAT:
                raise IndexUnusableError(
                    f"{folder} holds chunks in another format; build the chunk database again."
                )
            tokens = np.load(folder / TOKENS_FILE, mmap_mode="r")
            bounds = np.load(folder / DOCUMENTS_FILE)
            read = AboutChunks(**about)
            keys, index = _opened(folder, read)
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise IndexUnusableError(
                f"{folder} holds no whole chunk database ({error}); build it with `loccit train retrofit-data`."
            ) from error
        if (
            len(tokens) != read.tokens
            or len(bounds) != read.documents + 1
            or {len(index), read.chunks if keys is None else len(keys)} != {read.chunks}
        ):
            raise IndexUnusableError(f"The chunk database in {folder} is damaged; build it again.")
        return cls(read, tokens, bounds, keys, index)

    def __len__(self) -> int:
        return self.about.chunks

    def document_of(self, chunks: Integers) -> Integers:
        """Which document each of these chunks is of, same shape."""
        found: Integers = np.searchsorted(self.first_chunks, chunks, side="right") - 1
        return found

    def document(self, number: int) -> npt.NDArray[np.int32]:
        """The tokens of a document."""
        return self.tokens[self.bounds[number] : self.bounds[number + 1]]

    def values(self, chunks: Integers) -> Integers:
        """Each chunk with its continuation, shape (..., 2 * chunk); ``NO_TOKEN`` after a document's end.

        A row of ``NO_TOKEN`` for ``NO_CHUNK``.
        """
        length = self.about.chunk
        flat = chunks.reshape(-1)
        documents = self.document_of(flat)
        starts = self.bounds[documents] + (flat - self.first_chunks[documents]) * length
        places = starts[:, None] + np.arange(2 * length)
        there = (places < self.bounds[documents + 1][:, None]) & (flat != NO_CHUNK)[:, None]
        found = np.where(there, self.tokens[np.where(there, places, 0)], NO_TOKEN)
        return found.reshape(*chunks.shape, 2 * length)

    def nearest(self, keys: FloatArray, *, k: int, not_of: Sequence[int] | None = None) -> Integers:
        """The k nearest chunks of each key, best first, shape (keys, k); ``NO_CHUNK`` where there are fewer.

        ``keys``: unit vectors, (keys, dimension): the nearest by L2 distance are those of the largest inner product.
        ``not_of``: a document for each key whose chunks are passed over, as in RETRO's training.

        Raises:
            IndexUnusableError: when the database has no keys.
        """
        if isinstance(index := self._index, LexicalIndex):
            raise IndexUnusableError("The chunks of this database are found by their words; it has no keys.")
        return self._ranked(
            lambda places, wanted: index.search(keys[places], k=wanted), len(keys), k=k, not_of=not_of
        )

    def alike(self, texts: Sequence[str], *, k: int, not_of: Sequence[int] | None = None) -> Integers:
        """As ``nearest``, by the words of each text.

        Raises:
            IndexUnusableError: when the database has no words.
        """
        if not isinstance(index := self._index, LexicalIndex):
            raise IndexUnusableError("The chunks of this database are found by their keys; it has no words.")
        return self._ranked(
            lambda places, wanted: [index.search(texts[place], k=wanted) for place in places],
            len(texts),
            k=k,
            not_of=not_of,
        )

    def _ranked(
        self,
        search: Callable[[Integers, int], Sequence[Sequence[ScoredRow]]],
        count: int,
        *,
        k: int,
        not_of: Sequence[int] | None,
    ) -> Integers:
        """The best k of each of so many searches, those of its own document passed over."""
        found = np.full((count, k), NO_CHUNK, dtype=np.int64)
        waiting = np.arange(count)
        wanted = k if not_of is None else k + _SEARCHED_BESIDE
        while len(waiting):
            short = []
            for place, hits in zip(waiting, search(waiting, wanted), strict=True):
                rows = np.array([hit.row for hit in hits], dtype=np.int64)
                if not_of is not None:
                    rows = rows[self.document_of(rows) != not_of[int(place)]]
                found[place, : len(rows[:k])] = rows[:k]
                if len(rows) < k and len(hits) == wanted:
                    short.append(place)
            waiting = np.array(short if wanted < len(self) else [], dtype=np.int64)
            wanted *= 4
        return found


class ChunkSearch:
    """Finds the chunks that are like a text as the database was made to find them."""

    def __init__(self, database: ChunkDatabase, encoder: Encoder | None) -> None:
        """``encoder``: what made the keys; None for a database without any.

        Raises:
            IndexUnusableError: when another encoder made them.
        """
        require_encoder(database.about, encoder)
        self._database, self._encoder = database, encoder

    def nearest(self, texts: Sequence[str], *, k: int) -> Integers:
        """The k nearest chunks of each text, best first, (texts, k); ``NO_CHUNK`` where there are fewer."""
        if self._encoder is None:
            return self._database.alike(texts, k=k)
        return self._database.nearest(self._encoder.encode_passages(texts), k=k)


def _opened(
    folder: Path, about: AboutChunks
) -> tuple[npt.NDArray[np.float16] | None, VectorIndex | LexicalIndex]:
    """The keys, if there are any, and what is searched."""
    if about.encoder == BY_WORDS:
        return None, LexicalIndex.open(folder / WORDS_FOLDER)
    return np.load(folder / KEYS_FILE, mmap_mode="r"), load_vectors(folder / NEAREST_FILE, about.engine)


def first_chunks(bounds: Integers, chunk: int) -> Integers:
    """The number of each document's first chunk, and of chunks in all. ``bounds``: of documents, in tokens."""
    chunks = -(-np.diff(bounds) // chunk)  # rounded up
    found: Integers = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(chunks)])
    return found


def write_about(folder: Path, about: AboutChunks) -> None:
    """Write what the database in this folder is made of, last of its files: with it, the database is whole."""
    (folder / ABOUT_FILE).write_text(
        json.dumps({"format": _FORMAT, **asdict(about)}, indent=1), encoding="utf-8"
    )


def require_encoder(about: AboutChunks, encoder: Encoder | None) -> None:
    """Refuse another encoder than the one that made the keys.

    Raises:
        IndexUnusableError: when it is another one.
    """
    sha256, name = (BY_WORDS, BY_WORDS) if encoder is None else (encoder.sha256, encoder.name)
    if sha256 != about.encoder:
        raise IndexUnusableError(
            f"The chunks' keys were made by {about.encoder_name}, but {name} is to search them; "
            f"search with {about.encoder_name}, or build the chunk database again."
        )
