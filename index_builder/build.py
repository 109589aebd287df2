"""Building an index: read, split, embed what is new, write a generation, publish it whole."""

import errno
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from rich.console import Console

from common.errors import CorpusError, IndexUnusableError, LoccitError
from common.packaged import sha256_of
from common.progress import progress
from common.terminal_text import plain
from index_builder.corpora import Corpus, Malformed, PassedOver, Record, Source
from index_builder.corpora.folder import counted_kinds
from index_builder.embedding import embed_passages
from index_builder.vector_cache import VectorCache
from retriever.document_ids import id_problem
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
from retriever.passages import PassageSettings
from retriever.store import DuplicateDocumentError
from retriever.vectors.engines import AUTO, ENGINES, check_engine, engine_for

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
    engine: str = AUTO,
) -> BuildReport:
    """Build an index of these corpora in ``directory`` and make it the current one.

    Whatever happens on the way, the index that was there before stays whole and current until the new
    one is. Vectors computed before an interruption are reused by the next build.

    ``strict``: stop at the first malformed record. ``engine``: the vector engine's name in the table of engines, or
    ``auto``. Where the index that was there before has the same engine, what `loccit index tune` chose is kept.

    Raises:
        InvalidRequestError: when there is no such engine.
        CorpusError: for a malformed record under ``strict``, for a document id that occurs twice, and for
            corpora without any text.
        LoccitError: when the disk is full or another build is running.
    """
    check_engine(engine)
    _require_names(corpora)
    with BuildLock(directory), VectorCache.open(directory / "cache", encoder) as cache:
        with _full_disk_as_sentence(directory), next_generation(directory) as folder:
            with closing(IndexWriter(settings, folder, encoder=encoder)) as writer:
                shared = _shared_ids(corpora)
                sources = [
                    _read(corpus, writer, shared, strict=strict, console=console) for corpus in corpora
                ]
                writer.store.commit()
                keys, embedded = embed_passages(writer.passage_inputs, cache, encoder, console)
                vectors = _write_vectors(writer, cache.gathered(keys, folder), directory, engine, console)
                writer.write_lexical()
                counts = Counts(documents=writer.store.count_documents(), passages=len(keys))
            manifest = _manifest(folder, encoder, settings, vectors, counts, sources)
            manifest.save(folder)
        with suppress(sqlite3.OperationalError):  # a cache that is larger than need be does no harm
            cache.keep_only(keys)
        for source in sources:
            _say_passed_over(source, console)
        return BuildReport(current_generation(directory).name, manifest, embedded)


def _require_names(corpora: Sequence[Corpus]) -> None:
    names = Counter(corpus.source.name for corpus in corpora)
    name, count = names.most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise CorpusError(
            f"{count} sources are called {name!r}; give each a name of its own, such as {name}-2={name}."
        )


def _shared_ids(corpora: Sequence[Corpus]) -> frozenset[str]:
    """The ids that documents of more than one corpus have."""
    counts = Counter(doc_id for corpus in corpora for doc_id in set(corpus.ids))
    return frozenset(doc_id for doc_id, count in counts.items() if count > 1)


def _read(
    corpus: Corpus, writer: IndexWriter, shared: frozenset[str], *, strict: bool, console: Console
) -> SourceRecord:
    """Add the corpus's documents; what it is, and how many of its records are documents.

    The ids in ``shared`` are prefixed with the source's name.
    """
    documents = malformed = 0
    source = corpus.source
    passed_over = Counter(source.passed_over)
    with progress(console, f"Reading {corpus.source.name}", total=None) as advance:
        for item in map(_addressable, corpus):
            advance()
            if isinstance(item, Malformed):
                malformed += 1
                _report(item, malformed, strict=strict, console=console)
            elif isinstance(item, PassedOver):
                passed_over[item.kind] += 1
            else:
                documents += 1
                _add(item, source, writer, shared)
    if malformed > _MALFORMED_SHOWN:
        console.print(plain(f"{source.name}: {malformed:,} malformed records left out in all."))
    return SourceRecord(
        name=source.name,
        kind=source.kind,
        licence=source.licence,
        snapshot=source.snapshot,
        attribution=source.attribution,
        documents=documents,
        malformed=malformed,
        passed_over=dict(passed_over),
    )


def _addressable(item: Record | Malformed | PassedOver) -> Record | Malformed | PassedOver:
    """The same; but a document whose id no address can name is malformed."""
    if isinstance(item, Record) and (problem := id_problem(item.document.doc_id)) is not None:
        return Malformed(item.location, problem)
    return item


def _report(item: Malformed, number: int, *, strict: bool, console: Console) -> None:
    if strict:
        raise CorpusError(f"{item.location}: {item.problem}")
    if number <= _MALFORMED_SHOWN:
        console.print(plain(f"Left out {item.location}: {item.problem}"))


def _say_passed_over(source: SourceRecord, console: Console) -> None:
    if source.passed_over:
        kinds = counted_kinds(source.passed_over)
        console.print(plain(f"Passed over in {source.name}: {kinds}."))


def _add(record: Record, source: Source, writer: IndexWriter, shared: frozenset[str]) -> None:
    document, location = replace(record.document, source=source.name), record.location
    if not location.startswith(source.name):
        location = f"{source.name}/{location}"
    doc_id = document.doc_id
    if document.url is None and source.base_url is not None:
        document = replace(document, url=f"{source.base_url.rstrip('/')}/{quote(doc_id)}")
    if doc_id in shared:
        document = replace(document, doc_id=f"{source.name}/{doc_id}")
    try:
        writer.add(document, location=location)
    except DuplicateDocumentError as error:
        raise CorpusError(
            f"The document id {document.doc_id!r} stands at {error.location} and again at {location}; every document "
            "needs an id of its own."
        ) from error


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
    before = _vectors_before(directory)
    arguments = before.arguments if before is not None and before.engine == engine else None
    return VectorsRecord.of(writer.write_vectors(vectors, engine=engine, arguments=arguments))


def _vectors_before(directory: Path) -> VectorsRecord | None:
    """The record of the vectors of the index that is there; None where none can be read."""
    try:
        return read_manifest(directory).vectors
    except IndexUnusableError:
        return None


def _manifest(
    folder: Path,
    encoder: Encoder,
    settings: PassageSettings,
    vectors: VectorsRecord,
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
        vectors=vectors,
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
