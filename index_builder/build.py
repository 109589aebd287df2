"""Building an index: read, split, embed what is new, write a generation, publish it whole."""

import errno
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from common.errors import CorpusError, LoccitError
from common.packaged import sha256_of
from common.progress import progress
from index_builder.corpora import Corpus, Malformed, Record
from index_builder.vector_cache import VectorCache, cache_key
from retriever.encoder import Encoder, FloatArray, passage_input
from retriever.generations import BuildLock, publish, start_generation
from retriever.index import LEXICAL_FOLDER, STORE_FILE, VECTORS_FILE
from retriever.lexical import LexicalIndex
from retriever.manifest import (
    FORMAT_VERSION,
    Counts,
    EncoderIdentity,
    FileRecord,
    Manifest,
    PassageRecord,
    SourceRecord,
)
from retriever.passages import PassageSettings, split
from retriever.store import DocumentStore, DuplicateDocumentError
from retriever.vectors import FlatVectorIndex

_EMBEDDED_TOGETHER = 512  # passages handed to the encoder, and kept in the cache, at a time
_MALFORMED_SHOWN = 20


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: the published generation, its manifest, and how many passages it had to embed."""

    generation: str
    manifest: Manifest
    embedded: int


def build_index(
    corpora: Sequence[Corpus],
    directory: Path,
    *,
    encoder: Encoder,
    settings: PassageSettings,
    strict: bool,
    console: Console,
) -> BuildReport:
    """Build an index of these corpora in ``directory`` and make it the current one.

    Whatever happens on the way, the index that was there before stays whole and current until the new
    one is. Vectors computed before an interruption are reused by the next build.

    Raises:
        CorpusError: for a malformed record under ``strict``, for a document id that occurs twice, and for
            corpora without any text.
        LoccitError: when the disk is full or another build is running.
    """
    with BuildLock(directory), VectorCache.open(directory / "cache", encoder) as cache:
        with _full_disk_as_sentence(directory), _unfinished(directory) as folder:
            keys, embedded, manifest = _fill(folder, corpora, cache, encoder, settings, strict, console)
            published = publish(folder)
        with suppress(sqlite3.OperationalError):  # a cache that is larger than need be does no harm
            cache.keep_only(keys)
    return BuildReport(published.name, manifest, embedded)


@contextmanager
def _unfinished(directory: Path) -> Iterator[Path]:
    """The folder of the next generation; what is in it goes when the block fails."""
    folder = start_generation(directory)
    try:
        yield folder
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _fill(
    folder: Path,
    corpora: Sequence[Corpus],
    cache: VectorCache,
    encoder: Encoder,
    settings: PassageSettings,
    strict: bool,
    console: Console,
) -> tuple[list[bytes], int, Manifest]:
    """Write all files of the generation: (cache keys in use, passages embedded, manifest)."""
    with closing(DocumentStore.create(folder / STORE_FILE)) as store:
        sources = [_read(corpus, store, settings, strict=strict, console=console) for corpus in corpora]
        store.commit()
        keys = [cache_key(text) for text in _inputs(store)]
        if not keys:
            raise CorpusError("The corpora hold no text to index; give a document with words in it.")
        embedded = _embed(store, keys, cache, encoder, console)
        _index_vectors(store, cache.get(keys), folder / VECTORS_FILE)
        _index_words(store, folder / LEXICAL_FOLDER)
        counts = Counts(documents=store.count_documents(), passages=len(keys))
    manifest = _manifest(folder, encoder, settings, counts, sources)
    manifest.save(folder)
    return keys, embedded, manifest


def _read(
    corpus: Corpus, store: DocumentStore, settings: PassageSettings, *, strict: bool, console: Console
) -> SourceRecord:
    documents = malformed = 0
    with progress(console, f"Reading {corpus.source.name}", total=None) as advance:
        for item in corpus:
            advance()
            if isinstance(item, Malformed):
                malformed += 1
                _report(item, malformed, strict=strict, console=console)
            else:
                documents += 1
                _store(item, store, settings)
    if malformed > _MALFORMED_SHOWN:
        console.print(f"{corpus.source.name}: {malformed:,} malformed records left out in all.", markup=False)
    source = corpus.source
    return SourceRecord(
        name=source.name,
        kind=source.kind,
        licence=source.licence,
        snapshot=source.snapshot,
        attribution=source.attribution,
        documents=documents,
        malformed=malformed,
    )


def _report(item: Malformed, number: int, *, strict: bool, console: Console) -> None:
    if strict:
        raise CorpusError(f"{item.location}: {item.problem}")
    if number <= _MALFORMED_SHOWN:
        console.print(f"Left out {item.location}: {item.problem}", markup=False, highlight=False)


def _store(record: Record, store: DocumentStore, settings: PassageSettings) -> None:
    drafts = list(split(record.document, settings))
    try:
        store.add(record.document, drafts, location=record.location)
    except DuplicateDocumentError as error:
        raise CorpusError(
            f"The document id {record.document.doc_id!r} stands at {error.location} and again at "
            f"{record.location}; every document needs an id of its own."
        ) from error


def _inputs(store: DocumentStore) -> Iterator[str]:
    for passage in store.each_passage():
        yield passage_input(passage.title, passage.text)


def _embed(
    store: DocumentStore, keys: Sequence[bytes], cache: VectorCache, encoder: Encoder, console: Console
) -> int:
    missing = cache.missing(keys)
    waiting = {key: text for key, text in zip(keys, _inputs(store), strict=True) if key in missing}
    new_keys, texts = list(waiting), list(waiting.values())
    with progress(console, "Embedding passages", total=len(texts)) as advance:
        for batch in sorted_batches(texts):
            vectors = encoder.encode_passages([texts[place] for place in batch])
            cache.put([new_keys[place] for place in batch], vectors)
            advance(len(batch))
    return len(texts)


def sorted_batches(texts: Sequence[str]) -> Iterator[list[int]]:
    """Places of the texts in batches of like length, so that little is padded.

    Longest first: the time left is never underestimated, and memory runs out at once if at all.
    """
    places = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
    for start in range(0, len(places), _EMBEDDED_TOGETHER):
        yield places[start : start + _EMBEDDED_TOGETHER]


def _index_vectors(store: DocumentStore, vectors: FloatArray, path: Path) -> None:
    # (passages, dimension), in the order of the rows
    index = FlatVectorIndex(vectors.shape[1])
    index.add(store.rows().tolist(), vectors)
    index.save(path)


def _index_words(store: DocumentStore, folder: Path) -> None:
    folder.mkdir()
    LexicalIndex(folder).add((p.row, p.title, p.text) for p in store.each_passage())
    for lock in folder.glob("*.lock"):
        lock.unlink()


def _manifest(
    folder: Path,
    encoder: Encoder,
    settings: PassageSettings,
    counts: Counts,
    sources: Iterable[SourceRecord],
) -> Manifest:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return Manifest(
        format_version=FORMAT_VERSION,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        loccit_version=version("loccit"),
        encoder=EncoderIdentity.of(encoder),
        passages=PassageRecord(words=settings.words, continuation_words=settings.continuation_words),
        counts=counts,
        sources=tuple(sources),
        files={
            path.relative_to(folder).as_posix(): FileRecord(bytes=path.stat().st_size, sha256=sha256_of(path))
            for path in files
        },
    )


@contextmanager
def _full_disk_as_sentence(directory: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.OperationalError, ValueError) as error:
        if not _means_full_disk(error):
            raise
        raise LoccitError(
            f"The disk of {directory} is full; free some space and build again: the index that was there is "
            "unchanged, and the passages embedded so far are kept."
        ) from error


def _means_full_disk(error: Exception) -> bool:
    # SQLite has its own code for it, and tantivy passes the system's message on
    if isinstance(error, sqlite3.Error):
        return error.sqlite_errorcode == sqlite3.SQLITE_FULL
    return getattr(error, "errno", None) == errno.ENOSPC or "No space left on device" in str(error)
