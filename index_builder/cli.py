"""`loccit index`: build, describe, verify and tune indexes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from common.errors import LoccitError
from common.terminal_text import plain
from common.wording import counted
from index_builder.corpora.formats import FORMATS, suffixes_in_folders

if TYPE_CHECKING:
    from retriever.manifest import VectorsRecord

cli = typer.Typer(help="Build, describe, verify and tune indexes.", no_args_is_help=True)

IndexFolder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the index.")]


@cli.command()
def build(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...",
            help=f"vital-articles, a file ({', '.join(FORMATS)}), a folder of {suffixes_in_folders()} files, or "
            "hub:DATASET[:CONFIG], in Parquet on the Hugging Face hub. NAME=SOURCE gives it a name of its own.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to keep the index in.")],
    words: Annotated[int, typer.Option(help="Words in a passage, about.")] = 100,
    continuation_words: Annotated[
        int, typer.Option(help="Words of the following text that are read with a passage; 0 for none.")
    ] = 100,
    encoder: Annotated[
        str,
        typer.Option(help="all-MiniLM-L6-v2, or any sentence-transformers model by folder or hub name."),
    ] = "all-MiniLM-L6-v2",
    base_url: Annotated[
        list[str] | None,
        typer.Option(
            "--base-url",
            metavar="[NAME=]URL",
            help="Where a source's files are published: citations link there. With several sources, say which.",
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            help="Vector engine. flat: exact; ivf-sq8, hnsw-sq8: approximate, for many passages; ivf-pq: the "
            "smallest, and the least exact; auto: flat up to 150,000 passages, ivf-sq8 beyond.",
        ),
    ] = "auto",
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Follow links that lead out of a folder.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Stop at the first malformed record instead of leaving it out.")
    ] = False,
    allow_download: Annotated[
        bool,
        typer.Option(
            "--allow-download", help="Fetch the encoder, or a hub: source, from the hub when it is not here."
        ),
    ] = False,
) -> None:
    """Build an index of the sources, or bring the one in DIR up to date.

    Killed at any moment, DIR holds the old index or the new one, whole; the next build continues where this
    one stopped. Building again embeds only what changed.

    Example: loccit index build my-notes/ --out data/indexes/notes
    """
    from index_builder.build import build_index
    from index_builder.corpora import open_corpus
    from index_builder.corpora.named import with_base_urls
    from retriever.encoder import load_encoder
    from retriever.passages import PassageSettings

    console = Console(stderr=True)
    settings = PassageSettings(words=words, continuation_words=continuation_words)
    corpora = [
        open_corpus(source, follow_links=follow_links, allow_download=allow_download) for source in sources
    ]
    report = build_index(
        with_base_urls(corpora, base_url or []),
        out,
        encoder=load_encoder(encoder, allow_download=allow_download),
        settings=settings,
        strict=strict,
        console=console,
        engine=engine,
    )
    counts = report.manifest.counts
    console.print(
        plain(
            f"{counted(counts.documents, 'document')}, {counted(counts.passages, 'passage')} "
            f"({report.embedded:,} newly embedded) in {out}, generation {report.generation}."
        )
    )
    console.print(plain(f"Ask it: loccit ask --index {out} 'your question'"))


@cli.command()
def info(directory: IndexFolder) -> None:
    """Say what an index holds and how it was made.

    Example: loccit index info data/indexes/vital-articles
    """
    from index_builder.corpora.folder import counted_kinds
    from retriever.generations import current_generation
    from retriever.index import read_manifest

    manifest = read_manifest(directory)
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
        ("encoder", f"{manifest.encoder.name}, {manifest.encoder.dimension} dimensions"),
        ("vector engine", _engine_and_arguments(manifest.vectors)),
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
