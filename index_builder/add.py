"""Adding sources to an index: their documents come or replace those of their ids, and the others stay."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from index_builder.arrivals import Arrivals
from index_builder.change import Before, change_index
from index_builder.corpora import Corpus
from index_builder.generation_writer import Contents, Report
from index_builder.reading import read_corpora, say_passed_over
from retriever.encoder import Encoder
from retriever.manifest import SourceRecord


def add_sources(
    corpora: Sequence[Corpus], directory: Path, *, encoder: Encoder, strict: bool, console: Console
) -> Report:
    """Add the documents of these corpora to the index in ``directory``, split as its documents are.

    A source that the index has already keeps its kind, and its terms unless others are read now; what is left out and
    passed over now is added to what was. Documents that are no longer in it stay.

    ``strict``: stop at the first malformed record.

    Raises:
        CorpusError: as ``read_corpora`` does.
        LoccitError: as ``change_index`` does.
    """

    read: list[SourceRecord] = []

    def change(before: Before, arrivals: Arrivals) -> Contents:
        read.extend(
            read_corpora(
                corpora,
                arrivals,
                strict=strict,
                console=console,
                source_of=before.store.source_of,
                known=[source.name for source in before.sources],
            )
        )
        return Contents(before.with_sources(read), before.store)

    report = change_index(directory, change, encoder=encoder, console=console)
    say_passed_over(read, console)
    return report
