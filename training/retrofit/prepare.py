"""Data of a retrofit: a chunk database, windows to learn from with their neighbours, and documents held out."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from datasketch import MinHash, MinHashLSH
from rich.console import Console

from app.answering.retro.tokenizer import RetroTokenizer
from common.errors import LoccitError
from common.files import whole_file
from common.progress import progress
from common.terminal_text import plain
from index_builder.chunk_database import build_chunk_database, document_text
from retriever.chunk_database import BY_WORDS, NO_CHUNK, ChunkDatabase, ChunkSearch, Integers
from retriever.encoder import Encoder
from retriever.types import Document

DATABASE_FOLDER = "chunks"
WINDOWS_FILE = "windows.npz"
HELD_OUT_FILE = "held_out.npz"
ABOUT_FILE = "about.json"
_GRAM_WORDS = 13
_JACCARD = 0.8
_LOOKED_AT = 0.5  # by the estimate
_PERMUTATIONS = 128
_SEARCHED_AT_ONCE = 64  # chunks


@dataclass(frozen=True, slots=True)
class RetrofitDataSettings:
    """``window``: tokens of a training sequence at most. ``windows``: as many are given neighbours, in a random order.

    ``neighbours``: of each chunk to learn from. ``neighbours_held_out``: of each chunk held out. ``held_out``: one
    document of so many is held out, and at most ``held_out_documents``, the first by their hash.
    """

    window: int = 1024
    windows: int = 3_000
    neighbours: int = 2
    neighbours_held_out: int = 10
    held_out: int = 50
    held_out_documents: int = 100
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Windows:
    """Runs of whole chunks to learn from, in a random order.

    ``starts``, ``ends``: the tokens in the database, (windows,). ``chunks``: how many whole chunks each has.
    ``neighbours``: rows of the database, (windows, most chunks, k); ``NO_CHUNK`` where there is none.
    """

    starts: Integers
    ends: Integers
    neighbours: Integers

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Documents that the database does not hold, nor any near copy of them.

    ``bounds``: where each begins in ``tokens``, and where the last ends. ``utf8``: the bytes of each token.
    ``neighbours``: of every whole chunk in turn, document after document, (chunks, k).
    """

    tokens: Integers
    bounds: Integers
    utf8: Integers
    neighbours: Integers


def prepare(
    documents: Iterable[Document],
    out: Path,
    tokenizer: RetroTokenizer,
    encoder: Encoder | None,
    console: Console,
    *,
    settings: RetrofitDataSettings | None = None,
) -> None:
    """Make everything a retrofit learns from and is measured on, in the folder ``out``.

    Killed at any moment, it goes on when run again. ``documents`` is read more than once. ``encoder``: None for chunks
    that are found by their words.

    Raises:
        LoccitError: when ``out`` was made with other settings or another corpus, tokenizer or encoder, or when there is
            nothing to learn from or nothing could be held out.
    """
    settings = settings or RetrofitDataSettings()
    out.mkdir(parents=True, exist_ok=True)
    chosen, corpus = _held_out(documents, settings)
    made_of = {
        "corpus": corpus,
        "tokenizer": tokenizer.sha256,
        "encoder": BY_WORDS if encoder is None else encoder.sha256,
    }
    _claim(out, {**asdict(settings), **made_of})
    folder = out / DATABASE_FOLDER
    if not folder.exists():
        kept = (document for document in documents if document.doc_id not in chosen)
        build_chunk_database(kept, folder, tokenizer, encoder, console)
    database = ChunkDatabase.open(folder)
    if not (out / HELD_OUT_FILE).is_file():
        apart = _without_copies(chosen, documents, console)
        _write_held_out(apart, out / HELD_OUT_FILE, database, tokenizer, encoder, settings, console)
    if not (out / WINDOWS_FILE).is_file():
        _write_windows(out / WINDOWS_FILE, database, tokenizer, settings, console)
    _require_enough(out, database)
    about, windows = database.about, read_windows(out)
    held_out = len(read_held_out(out).bounds) - 1
    console.print(
        plain(
            f"{out} holds {about.chunks:,} chunks of {about.documents:,} documents, {len(windows):,} windows to learn "
            f"from, and {held_out:,} documents held out. Next: `loccit train retrofit --data {out}`."
        )
    )


def _require_enough(out: Path, database: ChunkDatabase) -> None:
    least = 2 * database.about.chunk
    if not len(read_windows(out)):
        raise LoccitError(f"No document has {least} tokens, the least to learn from; give longer documents.")
    if not (np.diff(read_held_out(out).bounds) >= least).any():
        raise LoccitError(
            f"No document could be held out to measure on. One in fifty is, if it has {least} tokens and no other is "
            "nearly a copy of it; give more documents, or another seed."
        )


def require_data(folder: Path) -> None:
    """Refuse a folder in which ``prepare`` has not ended.

    Raises:
        LoccitError: with what to do.
    """
    if not all((folder / name).exists() for name in (DATABASE_FOLDER, WINDOWS_FILE, HELD_OUT_FILE)):
        raise LoccitError(
            f"There is no data of a retrofit in {folder}; make it with `loccit train retrofit-data CORPUS --out "
            f"{folder}`."
        )


def read_windows(folder: Path) -> Windows:
    """What ``prepare`` made to learn from."""
    return Windows(**_arrays(folder / WINDOWS_FILE))


def read_held_out(folder: Path) -> HeldOut:
    """What ``prepare`` held out."""
    return HeldOut(**_arrays(folder / HELD_OUT_FILE))


def fingerprint_of(folder: Path) -> str:
    """What tells prepared data from other data."""
    digest = sha256((folder / ABOUT_FILE).read_bytes())
    for name in (WINDOWS_FILE, HELD_OUT_FILE):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def _arrays(path: Path) -> dict[str, npt.NDArray[np.int64]]:
    try:
        with path.open("rb") as opened, np.load(opened) as file:  # numpy leaves a damaged one open
            return dict(file)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise LoccitError(
            f"{path.parent} holds no whole data of a retrofit ({error}); make it with `loccit train retrofit-data`."
        ) from error


def _claim(out: Path, about: dict[str, object]) -> None:
    path = out / ABOUT_FILE
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != about:
        raise LoccitError(
            f"{out} holds data of a retrofit of another corpus or with other settings; remove it, or give another "
            "folder."
        )
    with whole_file(path) as unfinished:
        unfinished.write_text(json.dumps(about, indent=1), encoding="utf-8")


def _held_out(
    documents: Iterable[Document], settings: RetrofitDataSettings
) -> tuple[dict[str, Document], str]:
    """The documents held out, by their ids, and what tells the corpus from others."""
    chosen, corpus = {}, sha256()
    for document in documents:
        corpus.update(f"{document.doc_id}\0{document_text(document)}\0".encode("utf-8", "surrogatepass"))
        digest = sha256(f"{settings.seed}:{document.doc_id}".encode("utf-8", "surrogatepass")).digest()
        if int.from_bytes(digest[:8]) % settings.held_out == 0:
            chosen[digest] = document
    first = sorted(chosen)[: settings.held_out_documents]
    return {chosen[digest].doc_id: chosen[digest] for digest in first}, corpus.hexdigest()


def _without_copies(
    held_out: dict[str, Document], documents: Iterable[Document], console: Console
) -> list[Document]:
    """Those of which no other document is a near copy, by the words they have in runs of 13.

    MinHash finds which may be, below the threshold too, since it estimates; then they are compared.
    """
    grams = {name: _grams(document.text) for name, document in held_out.items()}
    alike = MinHashLSH(threshold=_LOOKED_AT, num_perm=_PERMUTATIONS)
    for name, its in grams.items():
        alike.insert(name, _min_hash(its))
    copied: set[str] = set()
    with progress(console, "Looking for near copies", total=None) as advance:
        for document in documents:
            if document.doc_id not in held_out:
                its = _grams(document.text)
                for name in alike.query(_min_hash(its)):
                    if len(grams[name] & its) >= _JACCARD * len(grams[name] | its):
                        copied.add(name)
            advance()
    if copied:
        console.print(
            plain(f"{len(copied):,} documents held out have near copies in the database and are left out.")
        )
    return [document for name, document in held_out.items() if name not in copied]


def _grams(text: str) -> set[str]:
    words = text.casefold().split()
    return {" ".join(words[at : at + _GRAM_WORDS]) for at in range(max(1, len(words) - _GRAM_WORDS + 1))}


def _min_hash(grams: set[str]) -> MinHash:
    found = MinHash(num_perm=_PERMUTATIONS)
    found.update_batch([gram.encode("utf-8", "surrogatepass") for gram in grams])
    return found


def _write_held_out(
    documents: Iterable[Document],
    path: Path,
    database: ChunkDatabase,
    tokenizer: RetroTokenizer,
    encoder: Encoder | None,
    settings: RetrofitDataSettings,
    console: Console,
) -> None:
    length, search = database.about.chunk, ChunkSearch(database, encoder)
    tokens: list[int] = []
    utf8: list[int] = []
    bounds, neighbours = [0], []
    with progress(console, "Neighbours of documents held out", total=None) as advance:
        for document in documents:
            text = document_text(document)
            ids, sizes = tokenizer.ids_and_bytes(text)
            whole = [ids[at : at + length] for at in range(0, len(ids) - length + 1, length)]
            if whole:
                neighbours.append(search.nearest(tokenizer.texts(whole), k=settings.neighbours_held_out))
            tokens += ids
            bounds.append(len(tokens))
            utf8 += sizes
            advance()
    none = np.zeros((0, settings.neighbours_held_out), dtype=np.int64)
    _save(
        path,
        tokens=np.array(tokens, dtype=np.int64),
        bounds=np.array(bounds, dtype=np.int64),
        utf8=np.array(utf8, dtype=np.int64),
        neighbours=np.concatenate([none, *neighbours]),
    )


def _write_windows(
    path: Path,
    database: ChunkDatabase,
    tokenizer: RetroTokenizer,
    settings: RetrofitDataSettings,
    console: Console,
) -> None:
    """Windows of at least two chunks, with the neighbours of every whole chunk from other documents."""
    length = database.about.chunk
    most = settings.window // length
    every = [
        (at, min(at + settings.window, end))
        for start, end in zip(database.bounds[:-1].tolist(), database.bounds[1:].tolist(), strict=True)
        for at in range(start, end - 2 * length + 1, settings.window)
    ]
    order = np.random.default_rng(settings.seed).permutation(len(every))[: settings.windows]
    chosen = np.array([every[place] for place in order], dtype=np.int64).reshape(-1, 2)
    neighbours = np.full((len(chosen), most, settings.neighbours), NO_CHUNK, dtype=np.int64)
    with progress(console, "Neighbours of windows to learn from", total=len(chosen)) as advance:
        for place, (start, end) in enumerate(chosen.tolist()):
            rows = _chunks_between(database, start, end)
            found = {"k": settings.neighbours, "not_of": database.document_of(rows).tolist()}
            if database.keys is None:
                chunks = database.tokens[start : start + len(rows) * length].reshape(-1, length)
                neighbours[place, : len(rows)] = database.alike(tokenizer.texts(chunks.tolist()), **found)
            else:
                keys = database.keys[rows].astype(np.float32)
                neighbours[place, : len(rows)] = database.nearest(keys, **found)
            advance()
    whole = int(((chosen[:, 1] - chosen[:, 0]) // length).sum())
    alone = whole - int((neighbours[..., 0] != NO_CHUNK).sum())
    if alone:
        console.print(plain(f"{alone:,} of {whole:,} chunks have no neighbour in another document."))
    _save(path, starts=chosen[:, 0], ends=chosen[:, 1], neighbours=neighbours)


def _chunks_between(database: ChunkDatabase, start: int, end: int) -> Integers:
    """The whole chunks of a window that begins where a chunk does."""
    document = int(np.searchsorted(database.bounds, start, side="right")) - 1
    length = database.about.chunk
    first = database.first_chunks[document] + (start - database.bounds[document]) // length
    return np.arange(first, first + (end - start) // length)


def _save(path: Path, **arrays: Integers) -> None:
    with whole_file(path) as unfinished, unfinished.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # none is called allow_pickle
