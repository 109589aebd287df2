"""Building an index: read every source, and make what they hold the current generation."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from common.terminal_text import plain
from common.wording import counted
from index_builder.arrivals import Arrivals
from index_builder.corpora import Corpus
from index_builder.embedding import EMBEDDED_TOGETHER
from index_builder.generation_writer import Contents, Report, alone_with, manifest_before, write_generation
from index_builder.reading import read_corpora, say_passed_over
from retriever.encoder import Encoder
from retriever.manifest import SourceRecord
from retriever.text.passages import PassageSettings
from retriever.vectors.engines import AUTO, check_engine


def build_index(
    corpora: Sequence[Corpus],
    directory: Path,
    *,
    encoder: Encoder,
    settings: PassageSettings,
    strict: bool,
    console: Console,
    engine: str = AUTO,
    wait_s: float = 0.0,
    embedded_together: int = EMBEDDED_TOGETHER,
) -> Report:
    """Build an index of these corpora in ``directory`` and make it the current one; it holds nothing else.

    Whatever happens on the way, the index that was there before stays whole and current until the new
    one is. Vectors computed before an interruption are reused by the next build.

    ``strict``: stop at the first malformed record. ``engine``: the vector engine's name in the table of engines, or
    ``auto``. Where the index that was there before has the same engine, what `loccit index tune` chose is kept.
    ``wait_s``: how long to wait for another writer. ``embedded_together``: passages handed to the encoder at a time.

    Raises:
        InvalidRequestError: when there is no such engine.
        CorpusError: for a malformed record under ``strict``, and for a document id that occurs twice.
        ChangeRefusedError: for corpora without any text.
        IndexBusyError: when another process writes to the index all the while.
        LoccitError: when the disk is full, or refuses otherwise.
    """
    check_engine(engine)

    def gather(arrivals: Arrivals) -> Contents:
        return Contents(read_corpora(corpora, arrivals, strict=strict, console=console))

    with alone_with(directory, encoder, wait_s=wait_s) as cache:
        before = manifest_before(directory)
        report = write_generation(
            directory,
            gather,
            cache=cache,
            encoder=encoder,
            settings=settings,
            engine=engine,
            console=console,
            embedded_together=embedded_together,
        )
    say_passed_over(report.manifest.sources, console)
    if before is not None:
        _say_left_out(before.sources, report.manifest.sources, console)
    return report


def _say_left_out(before: Sequence[SourceRecord], now: Sequence[SourceRecord], console: Console) -> None:
    """Say how many documents of sources that are not among those of ``now`` are gone."""
    built = {source.name for source in now}
    gone = [source for source in before if source.name not in built and source.documents]
    if gone:
        documents = counted(sum(source.documents for source in gone), "document")
        names = ", ".join(source.name for source in gone)
        console.print(plain(f"Not built, so no longer in the index: {documents} of other sources ({names})."))
