"""Writing one generation: documents are put in order, what is new is embedded, and the whole becomes current."""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from common.errors import IndexUnusableError
from common.packaged import sha256_of
from common.terminal_text import plain
from index_builder.arrivals import Arrivals
from index_builder.embedding import EMBEDDED_TOGETHER, embed_passages
from index_builder.storage_faults import faults_as_sentences
from index_builder.vector_cache import VectorCache
from retriever.encoder import Encoder, FloatArray
from retriever.generations import BuildLock, current_generation, next_generation
from retriever.index import read_manifest
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
from retriever.store import DocumentStore
from retriever.text.passages import PassageSettings
from retriever.vectors.engines import AUTO, ENGINES, engine_for

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

    ``without``: ids that are left out. ``sources``: what is recorded of them; their documents are counted anew,
    and one that has lost its last goes.
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

    ``engine``: the vector engine's name in the table of engines, or ``auto``; flat where it cannot be trained on so few
    passages. Where the generation before has the same, its arguments stay.

    Raises:
        ChangeRefusedError: when there would be no text.
    """
    with next_generation(directory) as folder:
        with closing(IndexWriter(settings, folder, encoder=encoder)) as writer:
            contents = _take(gather, writer.store, folder, settings, encoder)
            keys, embedded = embed_passages(
                writer.passage_inputs, cache, encoder, console, together=embedded_together
            )
            vectors = _write_vectors(writer, cache.gathered(keys, folder), directory, engine, console)
            writer.write_lexical()
            counts = Counts(documents=writer.store.count_documents(), passages=len(keys))
            sources = _counted(contents.sources, writer.store)
        manifest = _manifest(folder, encoder, settings, vectors, counts, sources)
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


def _write_vectors(
    writer: IndexWriter, vectors: FloatArray, directory: Path, asked: str, console: Console
) -> VectorsRecord:
    """Index the vectors with the engine asked for, or with one that can be had for so many; which one it is."""
    engine = engine_for(asked, vectors=len(vectors))
    if asked not in (AUTO, engine):
        console.print(
            plain(
                f"The engine {asked} is trained on at least {ENGINES[asked].least:,} vectors, and there are "
                f"{len(vectors):,}: the index has the engine {engine}."
            )
        )
    before = manifest_before(directory)
    arguments = before.vectors.arguments if before is not None and before.vectors.engine == engine else None
    return VectorsRecord.of(writer.write_vectors(vectors, engine=engine, arguments=arguments))


def manifest_before(directory: Path) -> Manifest | None:
    """The manifest of the index that is there; None where none can be read."""
    try:
        return read_manifest(directory)
    except IndexUnusableError:
        return None


def _counted(sources: Sequence[SourceRecord], store: DocumentStore) -> list[SourceRecord]:
    """The sources with how many documents each has now; one that had some and has none is left out."""
    counts = store.count_by_source()
    return [
        source.model_copy(update={"documents": counts.get(source.name, 0)})
        for source in sources
        if source.name in counts or not source.documents
    ]


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
