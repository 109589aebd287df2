"""`loccit index`: build, describe and verify indexes."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from common.terminal_text import plain
from common.wording import counted
from index_builder.corpora.formats import FORMATS, suffixes_in_folders

cli = typer.Typer(help="Build, describe and verify indexes.", no_args_is_help=True)

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
    from index_builder.corpora.sources.named import with_base_urls
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
        ("encoder", f"{manifest.encoder.name}, {manifest.encoder.dimension} dimensions"),
        ("vector engine", manifest.vectors.engine),
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
