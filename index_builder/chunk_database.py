"""Builds RETRO's chunk database: documents in, tokens and keys out, a part at a time, gone on with where it stopped."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
from rich.console import Console

from common.errors import ChangeRefusedError
from common.files import flush, whole_file, whole_folder
from common.progress import progress
from retriever.chunk_database import (
    BY_WORDS,
    DOCUMENTS_FILE,
    KEYS_FILE,
    NEAREST_FILE,
    TOKENS_FILE,
    WORDS_FOLDER,
    AboutChunks,
    Integers,
    first_chunks,
    write_about,
)
from retriever.encoder import Encoder, FloatArray
from retriever.lexical import LexicalIndex
from retriever.types import Document
from retriever.vectors.engines import engine_for, new_vectors

CHUNK = 64
"""RETRO's length of a chunk, in tokens."""
PARTS_FOLDER = "parts"
_JOINED = "joined"
_DOCUMENTS_IN_A_PART = 64
_TRAINED_ON = 200_000  # keys that an engine sees at first
_COPIED_AT_ONCE = 50_000  # keys


class ChunkTokenizer(Protocol):
    """The language model's tokenizer, as far as a database needs it."""

    @property
    def sha256(self) -> str:
        """What tells it from every other tokenizer."""

    def ids(self, text: str) -> list[int]:
        """The tokens of a text, no special ones."""

    def texts(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """The text of each run of tokens."""


def document_text(document: Document) -> str:
    """What is cut into chunks: the title says what the first of them are about."""
    return f"{document.title}\n\n{document.text}" if document.title else document.text


def build_chunk_database(
    documents: Iterable[Document],
    out: Path,
    tokenizer: ChunkTokenizer,
    encoder: Encoder | None,
    console: Console,
    *,
    chunk: int = CHUNK,
    engine: str = "auto",
    total: int | None = None,
) -> AboutChunks:
    """Build the database in the folder ``out``, which must not be there yet.

    Parts of the documents are kept beside it until it is whole, so a build that was stopped goes on from there. Memory
    holds one part at a time, and the keys only where the engine does. ``encoder``: None for chunks that are found by
    their words. ``total``: documents, for the progress shown.

    Raises:
        ChangeRefusedError: when there is something at ``out`` already, or no document has text.
    """
    if out.exists():
        raise ChangeRefusedError(f"{out} is there already; remove it to build the chunk database anew.")
    parts_folder = out.with_name(f"{out.name}-{PARTS_FOLDER}")
    parts_folder.mkdir(parents=True, exist_ok=True)
    made_by = f"{chunk}:{tokenizer.sha256}:{BY_WORDS if encoder is None else f'{encoder.sha256}:{encoder.precision}'}"
    paths = []
    with progress(console, "Chunking documents", total=total) as advance:
        waiting = iter(documents)
        while some := list(islice(waiting, _DOCUMENTS_IN_A_PART)):
            texts = [document_text(document) for document in some]
            digest = sha256("\0".join([made_by, *texts]).encode("utf-8", "surrogatepass")).hexdigest()
            path = parts_folder / f"{digest}.npz"
            if not path.is_file():
                _write_part(path, texts, tokenizer, encoder, chunk)
            paths.append(path)
            advance(len(some))
    # among the parts until it is whole, so that what a killed build leaves goes with them
    joined = parts_folder / _JOINED
    shutil.rmtree(joined, ignore_errors=True)
    with whole_folder(joined) as folder:
        about = _join(paths, folder, tokenizer, encoder, chunk, engine)
        write_about(folder, about)
    joined.rename(out)
    flush(out.parent)
    shutil.rmtree(parts_folder)
    return about


def _write_part(
    path: Path, texts: Sequence[str], tokenizer: ChunkTokenizer, encoder: Encoder | None, chunk: int
) -> None:
    """The tokens, lengths and keys of some documents, as one file."""
    documents = [tokenizer.ids(text) for text in texts]
    tokens = np.array([id_ for ids in documents for id_ in ids], dtype=np.int32)
    lengths = np.array([len(ids) for ids in documents], dtype=np.int64)
    keys = {} if encoder is None else {"keys": _keys(documents, tokenizer, encoder, chunk)}
    with whole_file(path) as unfinished, unfinished.open("wb") as file:
        np.savez(file, tokens=tokens, lengths=lengths, **keys)  # type: ignore[arg-type]


def _keys(
    documents: Sequence[Sequence[int]], tokenizer: ChunkTokenizer, encoder: Encoder, chunk: int
) -> npt.NDArray[np.float16]:
    runs = [ids[at : at + chunk] for ids in documents for at in range(0, len(ids), chunk)]
    if not runs:
        return np.zeros((0, encoder.dimension), np.float16)
    return encoder.encode_passages(tokenizer.texts(runs)).astype(np.float16)


def _join(
    paths: Sequence[Path],
    folder: Path,
    tokenizer: ChunkTokenizer,
    encoder: Encoder | None,
    chunk: int,
    engine: str,
) -> AboutChunks:
    """One file of tokens, one of bounds and one of keys or an index of words, from the parts in their order."""
    lengths = np.concatenate([_of(path, "lengths") for path in paths]) if paths else np.zeros(0, np.int64)
    bounds: Integers = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
    tokens, chunks = int(bounds[-1]), int(first_chunks(bounds, chunk)[-1])
    if not chunks:
        raise ChangeRefusedError("The chunk database would hold no text; give documents with words in them.")
    file = np.lib.format.open_memmap(folder / TOKENS_FILE, mode="w+", dtype=np.int32, shape=(tokens,))
    at = 0
    for path in paths:
        some = _of(path, "tokens")
        file[at : at + len(some)] = some
        at += len(some)
    file.flush()
    np.save(folder / DOCUMENTS_FILE, bounds)
    if encoder is None:
        (folder / WORDS_FOLDER).mkdir()
        words = LexicalIndex(folder / WORDS_FOLDER)
        words.add(_chunk_texts(file, bounds, tokenizer, chunk))
        used = BY_WORDS
    else:
        used = engine_for(engine, vectors=chunks)
        _join_keys(paths, folder, (chunks, encoder.dimension), used)
    return AboutChunks(
        chunk=chunk,
        tokenizer=tokenizer.sha256,
        encoder_name=BY_WORDS if encoder is None else encoder.name,
        encoder=BY_WORDS if encoder is None else encoder.sha256,
        engine=used,
        documents=len(lengths),
        tokens=tokens,
        chunks=chunks,
    )


def _join_keys(paths: Sequence[Path], folder: Path, shape: tuple[int, int], engine: str) -> None:
    stored = np.lib.format.open_memmap(folder / KEYS_FILE, mode="w+", dtype=np.float16, shape=shape)
    nearest = new_vectors(shape[1], engine=engine)
    for block in _blocks(paths):
        rows = np.arange(len(nearest), len(nearest) + len(block))
        stored[rows] = block
        nearest.add(rows, block)
    stored.flush()
    nearest.save(folder / NEAREST_FILE)


def _chunk_texts(
    tokens: npt.NDArray[np.int32], bounds: Integers, tokenizer: ChunkTokenizer, chunk: int
) -> Iterator[tuple[int, str, str]]:
    """Every chunk's number, no title, its text."""
    number = 0
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        runs = [tokens[at : min(at + chunk, end)].tolist() for at in range(start, end, chunk)]
        for text in tokenizer.texts(runs):
            yield number, "", text
            number += 1


def _blocks(paths: Iterable[Path]) -> Iterator[FloatArray]:
    """The keys in their order: first so many that an engine can learn from them, then fewer at a time."""
    waiting: list[FloatArray] = []
    held, wanted = 0, _TRAINED_ON
    for path in paths:
        some = _of(path, "keys").astype(np.float32)
        waiting.append(some)
        held += len(some)
        if held >= wanted:
            yield np.concatenate(waiting)
            waiting, held, wanted = [], 0, _COPIED_AT_ONCE
    if held:
        yield np.concatenate(waiting)


def _of(path: Path, name: str) -> npt.NDArray[np.generic]:
    with np.load(path) as part:
        found: npt.NDArray[np.generic] = part[name]
        return found
