"""`loccit index`: build, change, describe, verify and tune indexes."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from common.errors import IndexBusyError, InvalidRequestError, LoccitError
from common.terminal_text import plain
from common.wording import counted
from index_builder.corpora.formats import FORMATS, suffixes_in_folders
from index_builder.corpora.types import Corpus

if TYPE_CHECKING:  # they bring what takes seconds to load
    from index_builder.generation_writer import Report
    from retriever.manifest import VectorsRecord

cli = typer.Typer(help="Build, change, describe, verify and tune indexes.", no_args_is_help=True)

_WAIT_S = 10.0

IndexFolder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the index.")]
Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE...",
        help=f"vital-articles, a file ({', '.join(FORMATS)}), a folder of {suffixes_in_folders()} files, or "
        "hub:DATASET[:CONFIG], in Parquet on the Hugging Face hub. NAME=SOURCE gives it a name of its own.",
    ),
]
BaseUrls = Annotated[
    list[str] | None,
    typer.Option(
        "--base-url",
        metavar="[NAME=]URL",
        help="Where a source's files are published: citations link there. With several sources, say which.",
    ),
]
FollowLinks = Annotated[bool, typer.Option("--follow-links", help="Follow links that lead out of a folder.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Stop at the first malformed record instead of leaving it out.")
]
AllowDownload = Annotated[
    bool,
    typer.Option(
        "--allow-download", help="Fetch the encoder, or a hub: source, from the hub when it is not here."
    ),
]


IndexOut = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to keep the index in.")]
Words = Annotated[int, typer.Option(help="Words in a passage, about.")]
ContinuationWords = Annotated[
    int, typer.Option(help="Words of the following text that are read with a passage; 0 for none.")
]
EncoderName = Annotated[
    str, typer.Option(help="all-MiniLM-L6-v2, or any sentence-transformers model by folder or hub name.")
]
Int8 = Annotated[
    bool,
    typer.Option(
        "--int8",
        help="Embed passages in 8-bit integers: faster, nearly the same vectors. For all-MiniLM-L6-v2 and other "
        "plain BERT encoders, on CPUs with AVX2.",
    ),
]
EngineName = Annotated[
    str,
    typer.Option(
        help="Vector engine. flat: exact; ivf-sq8, hnsw-sq8: approximate, for many passages; ivf-pq: the "
        "smallest, and the least exact; auto: flat up to 150,000 passages, ivf-sq8 beyond.",
    ),
]
Watch = Annotated[
    bool,
    typer.Option(
        "--watch",
        help="Then follow the files and build again whenever they have changed; end it with Ctrl-C. Waits while "
        "another process writes to the index.",
    ),
]


@cli.command()
def build(
    sources: Sources,
    out: IndexOut,
    words: Words = 100,
    continuation_words: ContinuationWords = 100,
    encoder: EncoderName = "all-MiniLM-L6-v2",
    int8: Int8 = False,
    base_url: BaseUrls = None,
    engine: EngineName = "auto",
    follow_links: FollowLinks = False,
    strict: Strict = False,
    allow_download: AllowDownload = False,
    watch: Watch = False,
) -> None:
    """Build an index of the sources, or bring the one in DIR up to date. It holds these sources alone.

    Killed at any moment, DIR holds the old index or the new one, whole; the next build continues where this
    one stopped. Building again embeds only what changed.

    Example: loccit index build my-notes/ --out data/indexes/notes
    """
    from index_builder.build import build_index
    from index_builder.watch import changes
    from retriever.encoder import load_encoder
    from retriever.text.passages import PassageSettings

    console = Console(stderr=True)
    settings = PassageSettings(words=words, continuation_words=continuation_words)
    followed = changes(_paths(sources), without=out, follow_links=follow_links) if watch else iter(())
    read = partial(_corpora, sources, base_url, follow_links=follow_links, allow_download=allow_download)
    corpora = read()
    loaded = load_encoder(encoder, allow_download=allow_download, int8=int8)

    def write(corpora: Sequence[Corpus]) -> None:
        report = build_index(
            corpora,
            out,
            encoder=loaded,
            settings=settings,
            strict=strict,
            console=console,
            engine=engine,
            wait_s=_WAIT_S if watch else 0.0,
        )
        _say(report, out, console)

    if watch:
        _when_free(lambda: write(corpora), console)
    else:
        write(corpora)
    console.print(plain(f"Ask it: loccit ask --index {out} 'your question'"))
    _follow(followed, lambda: write(read()), console)


def _follow(changes: Iterator[None], build_again: Callable[[], None], console: Console) -> None:
    """Build again after each change, until Ctrl-C; what cannot be built is told."""
    with suppress(KeyboardInterrupt):
        for _ in changes:
            try:
                _when_free(build_again, console)
            except LoccitError as error:
                console.print(plain(f"{error} The index stays as it is until the next change.", "red"))


def _when_free(build: Callable[[], None], console: Console) -> None:
    """Build, and try again as long as another process writes to the index."""
    while True:
        try:
            return build()
        except IndexBusyError as error:
            console.print(plain(f"{error} Until then this build is tried again.", "red"))


@cli.command()
def add(
    directory: IndexFolder,
    sources: Sources,
    base_url: BaseUrls = None,
    follow_links: FollowLinks = False,
    strict: Strict = False,
    allow_download: AllowDownload = False,
) -> None:
    """Add the documents of the sources to the index in DIR, or replace those of the same ids; all others stay.

    A file or folder in a folder that the index has as a source replaces its documents there. An id that a document of
    another source has begins with the source's name, and that is said. A source that the index has already keeps its
    terms, unless others lie beside what is added.

    Example: loccit index add data/indexes/notes my-notes=new.md
    """
    from index_builder.add import add_sources
    from retriever.encoder import load_encoder
    from retriever.index import read_manifest

    console = Console(stderr=True)
    report = add_sources(
        _corpora(sources, base_url, follow_links=follow_links, allow_download=allow_download),
        directory,
        encoder=load_encoder(read_manifest(directory).encoder.name, allow_download=allow_download),
        strict=strict,
        console=console,
    )
    _say(report, directory, console)


@cli.command()
def delete(
    directory: IndexFolder,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="Ids of documents.", show_default=False)
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="Delete this source with all of its documents instead.")
    ] = None,
    allow_download: AllowDownload = False,
) -> None:
    """Delete documents from the index in DIR; all others stay. Where an id is unknown, nothing is deleted.

    Example: loccit index delete data/indexes/notes old.md drafts/plan.md

    Example: loccit index delete data/indexes/notes --source drafts
    """
    from index_builder.change import change_index, without_documents, without_source
    from retriever.encoder import load_encoder
    from retriever.index import read_manifest

    if (source is None) == (not ids):
        raise InvalidRequestError(
            "Give the ids of the documents to delete, or --source NAME; one of the two."
        )
    console = Console(stderr=True)
    report = change_index(
        directory,
        without_documents(ids or []) if source is None else without_source(source),
        encoder=load_encoder(read_manifest(directory).encoder.name, allow_download=allow_download),
        console=console,
    )
    _say(report, directory, console)


@cli.command()
def prune(directory: IndexFolder) -> None:
    """Remove old generations from DIR. Kept are the current one and those that a process reads just now.

    Writing a generation removes them as well, but for the one before it.

    Example: loccit index prune data/indexes/notes
    """
    from index_builder.storage_faults import faults_as_sentences
    from retriever.generations import prune as prune_generations

    with faults_as_sentences(directory):
        pruned = prune_generations(directory)
    console = Console()
    console.print(plain(f"Removed {counted(len(pruned.removed), 'generation')}."))
    console.print(plain(f"Kept {pruned.current}: it is the current one."))
    for name in pruned.held:
        console.print(plain(f"Kept {name}: a process reads it, or the file system cannot tell."))


def _paths(sources: Sequence[str]) -> list[Path]:
    from index_builder.corpora.opening import path_of

    paths = [path for source in sources if (path := path_of(source)) is not None]
    if not paths:
        raise InvalidRequestError(
            f"--watch follows files and folders, but {', '.join(sources)} is none; leave it out."
        )
    return paths


def _corpora(
    sources: Sequence[str], base_urls: Sequence[str] | None, *, follow_links: bool, allow_download: bool
) -> list[Corpus]:
    from index_builder.corpora import open_corpus
    from index_builder.corpora.sources.named import with_base_urls

    corpora = [
        open_corpus(source, follow_links=follow_links, allow_download=allow_download) for source in sources
    ]
    return with_base_urls(corpora, base_urls or [])


def _say(report: "Report", directory: Path, console: Console) -> None:
    counts = report.manifest.counts
    console.print(
        plain(
            f"{counted(counts.documents, 'document')}, {counted(counts.passages, 'passage')} "
            f"({report.embedded:,} newly embedded, {report.kept:,} kept, {report.dropped:,} dropped) in {directory}, "
            f"generation {report.generation}."
        )
    )


@cli.command()
def info(directory: IndexFolder) -> None:
    """Say what an index holds and how it was made.

    Example: loccit index info data/indexes/vital-articles
    """
    from index_builder.corpora.sources.folder import counted_kinds
    from retriever.generations import current_generation
    from retriever.index import read_fields, read_manifest

    manifest = read_manifest(directory)
    fields = read_fields(directory).counts()
    table = Table(show_header=False, box=None)
    for name, value in (
        ("generation", current_generation(directory).name),
        (
            "made",
            f"{manifest.created_at} by Loccit {manifest.loccit_version}, format {manifest.format_version}",
        ),
        ("documents", f"{manifest.counts.documents:,}"),
        ("passages", f"{manifest.counts.passages:,} of about {manifest.passages.words} words"),
        ("continuation", f"{manifest.passages.continuation_words} words"),
        (
            "encoder",
            f"{manifest.encoder.name}, {manifest.encoder.dimension} dimensions, {manifest.encoder.precision}",
        ),
        ("vector engine", _engine_and_arguments(manifest.vectors)),
        ("fields", ", ".join(f"{name} ({counted(count, 'document')})" for name, count in fields.items())),
        ("size", f"{sum(file.bytes for file in manifest.files.values()) / 1e6:,.1f} MB"),
        *(
            (
                "source",
                f"{s.name}: {counted(s.documents, 'document')}, {s.malformed:,} left out"
                + (f", passed over: {counted_kinds(s.passed_over)}" if s.passed_over else "")
                + f". {s.licence or ''}",
            )
            for s in manifest.sources
        ),
    ):
        table.add_row(name, plain(value))
    Console().print(table)


@cli.command()
def verify(directory: IndexFolder) -> None:
    """Prove that an index is whole: every file, every row, every document as it was built.

    Example: loccit index verify data/indexes/vital-articles
    """
    from index_builder.verify import verify_index

    manifest = verify_index(directory)
    Console().print(
        plain(
            f"{directory} is whole: {len(manifest.files)} files, {counted(manifest.counts.documents, 'document')}, "
            f"{counted(manifest.counts.passages, 'passage')} in all three parts."
        )
    )


@cli.command()
def tune(
    directory: IndexFolder,
    recall: Annotated[
        float, typer.Option(help="Share of the ten best passages to find, above 0 and at most 1.")
    ] = 0.95,
    queries: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help='JSONL with a "question" a line, plain, .gz or .xz; unless given, passages of the index are looked '
            "for.",
        ),
    ] = None,
) -> None:
    """Choose how far the vector engine of an index searches: as far as it takes to find enough of the best passages.

    Measures recall@10 against comparing with every passage, prints what each value gives, and makes the smallest
    that reaches --recall the setting of a new generation. An index whose engine is flat misses nothing.

    Example: loccit index tune data/indexes/notes --recall 0.95 --queries questions.jsonl
    """
    from index_builder.tune import questions_of, tune_index
    from retriever.encoder import load_encoder
    from retriever.index import read_manifest

    questions = None if queries is None else questions_of(queries)
    tuning = tune_index(
        directory,
        encoder=load_encoder(read_manifest(directory).encoder.name),
        recall=recall,
        questions=questions,
        console=Console(stderr=True),
    )
    table = Table(f"{tuning.effort_name} of {tuning.engine}", "recall@10", "p50 ms", "p95 ms", box=None)
    for found in tuning.measured:
        table.add_row(
            f"{found.effort:,}{' *' if found is tuning.chosen else ''}",
            f"{found.recall:.4f}",
            f"{found.p50_ms:.2f}",
            f"{found.p95_ms:.2f}",
        )
    Console().print(table)
    if tuning.chosen is None:
        best = max(tuning.measured, key=lambda found: found.recall)
        raise LoccitError(
            f"No {tuning.effort_name} reaches a recall of {recall:g}: the best is {best.recall:.4f}, and the index is "
            "as it was. Give a lower --recall, or build the index again with another --engine: flat misses nothing, "
            "ivf-sq8 and hnsw-sq8 very little."
        )
    Console().print(
        plain(
            f"{tuning.effort_name} {tuning.chosen.effort:,} is the smallest that reaches {recall:g}: the setting of "
            f"generation {tuning.generation}."
        )
    )


def _engine_and_arguments(vectors: "VectorsRecord") -> str:
    return ", ".join([vectors.engine, *(f"{name} {value}" for name, value in vectors.arguments.items())])
