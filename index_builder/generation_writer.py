"""Writing one generation: documents are put in order, what is new is embedded, and the whole becomes current."""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from common.errors import ChangeRefusedError
from common.packaged import sha256_of
from common.progress import progress
from index_builder.arrivals import Arrivals
from index_builder.storage_faults import faults_as_sentences
from index_builder.vector_cache import VectorCache, cache_key
from retriever.encoder import Encoder
from retriever.generations import BuildLock, current_generation, next_generation
from retriever.index_writer import IndexWriter
from retriever.manifest import (
    FORMAT_VERSION,
    Counts,
    EncoderIdentity,
    FileRecord,
    Manifest,
    PassageRecord,
    SourceRecord,
    VectorsRecord,
)
from retriever.passages import PassageSettings
from retriever.store import DocumentStore

EMBEDDED_TOGETHER = 512
"""Passages handed to the encoder, and kept in the cache, at a time."""

_ARRIVALS_FILE = "arrivals.sqlite"


@dataclass(frozen=True, slots=True)
class Report:
    """What writing a generation did. ``embedded``: passages that had to be, one of several with the same text.

    ``dropped``: vectors of passages that are no longer there.
    """

    generation: str
    manifest: Manifest
    embedded: int
    dropped: int

    @property
    def kept(self) -> int:
        """Passages whose vector was there."""
        return self.manifest.counts.passages - self.embedded


@dataclass(frozen=True, slots=True)
class Contents:
    """What a generation holds: the documents that are ``kept`` and those that arrived; of one id, the one that arrived.

    ``without``: ids that are left out. ``sources``: what is recorded of them; their documents are counted anew.
    """

    sources: Sequence[SourceRecord]
    kept: DocumentStore | None = None
    without: Collection[str] = ()


@contextmanager
def alone_with(directory: Path, encoder: Encoder, *, wait_s: float = 0.0) -> Iterator[VectorCache]:
    """The vectors kept in an index folder, which is nobody else's to write to within the block.

    Raises:
        IndexBusyError: when another writer has it for ``wait_s`` seconds.
        IndexNotWritableError: when it cannot be written to.
        LoccitError: for what else the disk refuses.
    """
    with (
        faults_as_sentences(directory),
        BuildLock(directory, wait_s=wait_s),
        VectorCache.open(directory / "cache", encoder) as cache,
    ):
        yield cache


def write_generation(
    directory: Path,
    gather: Callable[[Arrivals], Contents],
    *,
    cache: VectorCache,
    encoder: Encoder,
    settings: PassageSettings,
    engine: str,
    console: Console,
    embedded_together: int = EMBEDDED_TOGETHER,
) -> Report:
    """Write what ``gather`` brings in, and make it the current generation; the caller is ``alone_with`` the folder.

    Whatever happens on the way, the generation that was there before stays whole and current until the new one is.
    Vectors computed before an interruption are reused by the next attempt.

    Raises:
        ChangeRefusedError: when there would be no text.
    """
    with next_generation(directory) as folder:
        with closing(IndexWriter(settings, folder, encoder=encoder)) as writer:
            contents = _take(gather, writer.store, folder, settings, encoder)
            keys, embedded = _embed(writer, cache, encoder, console, embedded_together)
            vectors = writer.write_vectors(cache.get(keys), engine=engine)
            writer.write_lexical()
            counts = Counts(documents=writer.store.count_documents(), passages=len(keys))
            sources = _counted(contents.sources, writer.store)
        manifest = _manifest(folder, encoder, settings, VectorsRecord.of(vectors), counts, sources)
        manifest.save(folder)
    dropped = 0
    with suppress(sqlite3.OperationalError):  # a cache that is larger than need be does no harm
        dropped = cache.keep_only(keys)
    return Report(current_generation(directory).name, manifest, embedded, dropped)


def _take(
    gather: Callable[[Arrivals], Contents],
    store: DocumentStore,
    folder: Path,
    settings: PassageSettings,
    encoder: Encoder,
) -> Contents:
    """Fill the store with the contents, in order."""
    path = folder / _ARRIVALS_FILE
    arrivals = Arrivals(path, settings, encoder)
    with closing(arrivals.store):
        contents = gather(arrivals)
        kept = [] if contents.kept is None else [contents.kept]
        store.take([*kept, arrivals.store], without=contents.without)
        store.commit()
    path.unlink()
    return contents


def _embed(
    writer: IndexWriter, cache: VectorCache, encoder: Encoder, console: Console, together: int
) -> tuple[list[bytes], int]:
    """Have the vector of every passage in the cache: its key there, by row, and how many had to be embedded."""
    held = cache.held()
    keys: list[bytes] = []
    waiting: dict[bytes, str] = {}
    for text in writer.passage_inputs():
        keys.append(key := cache_key(text))
        if key not in held:
            waiting[key] = text
    if not keys:
        raise ChangeRefusedError("The index would hold no text; give a document with words in it.")
    new_keys, texts = list(waiting), list(waiting.values())
    with progress(console, "Embedding passages", total=len(texts)) as advance:
        for batch in sorted_batches(texts, together):
            vectors = encoder.encode_passages([texts[place] for place in batch])
            cache.put([new_keys[place] for place in batch], vectors)
            advance(len(batch))
    return keys, len(texts)


def sorted_batches(texts: Sequence[str], together: int = EMBEDDED_TOGETHER) -> Iterator[list[int]]:
    """Places of the texts in batches of like length, so that little is padded.

    Longest first: the time left is never underestimated, and memory runs out at once if at all.
    """
    places = sorted(range(len(texts)), key=lambda place: -len(texts[place]))
    for start in range(0, len(places), together):
        yield places[start : start + together]


def _counted(sources: Sequence[SourceRecord], store: DocumentStore) -> list[SourceRecord]:
    counts = store.count_by_source()
    return [source.model_copy(update={"documents": counts.get(source.name, 0)}) for source in sources]


def _manifest(
    folder: Path,
    encoder: Encoder,
    settings: PassageSettings,
    vectors: VectorsRecord,
    counts: Counts,
    sources: Sequence[SourceRecord],
) -> Manifest:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return Manifest(
        format_version=FORMAT_VERSION,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        loccit_version=version("loccit"),
        encoder=EncoderIdentity.of(encoder),
        passages=PassageRecord(words=settings.words, continuation_words=settings.continuation_words),
        vectors=vectors,
        counts=counts,
        sources=tuple(sources),
        files={
            path.relative_to(folder).as_posix(): FileRecord(bytes=path.stat().st_size, sha256=sha256_of(path))
            for path in files
        },
    )
