"""Changing an index: some documents come, are replaced or go, and the others stay as they are."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from common.errors import ChangeRefusedError, DocumentNotFoundError
from index_builder.arrivals import Arrivals
from index_builder.embedding import EMBEDDED_TOGETHER
from index_builder.generation_writer import Contents, Report, alone_with, write_generation
from retriever.encoder import Encoder, in_precision
from retriever.generations import current_generation, hold_current
from retriever.index import STORE_FILE, require_encoder
from retriever.manifest import Manifest, SourceRecord
from retriever.store import DocumentStore
from retriever.text.passages import PassageSettings

_CHANGEABLE_SINCE = 2  # documents of version 1 have no blocks, so they would be split otherwise today
_TERMS = ("licence", "snapshot", "attribution")


@dataclass(frozen=True, slots=True)
class Before:
    """The generation that is changed: its documents and its manifest."""

    store: DocumentStore
    manifest: Manifest

    @property
    def sources(self) -> tuple[SourceRecord, ...]:
        """What is recorded of its sources."""
        return self.manifest.sources

    def with_sources(self, new: Sequence[SourceRecord]) -> list[SourceRecord]:
        """Its sources in their order, those of ``new`` in the place of the ones of their names, or last.

        Of a source that was there, the kind stays, and so do the terms that ``new`` does not say; what was left out of
        it and what was passed over is added up.
        """
        by_name = {source.name: source for source in self.sources}
        for source in new:
            before = by_name.get(source.name)
            by_name[source.name] = source if before is None else _continued(before, source)
        return list(by_name.values())


Change = Callable[[Before, Arrivals], Contents]
"""Looks at what is there, takes in what comes, and says what the next generation holds."""


def change_index(
    directory: Path,
    change: Change,
    *,
    encoder: Encoder,
    console: Console,
    wait_s: float = 0.0,
    embedded_together: int = EMBEDDED_TOGETHER,
) -> Report:
    """Make a generation of the current one with this change; it equals a build of the same documents.

    The vector engine stays, with what `loccit index tune` chose, as long as it can be trained on so few passages.

    ``wait_s``: how long to wait for another writer. ``embedded_together``: passages handed to the encoder at a time.

    Raises:
        IndexUnusableError: when there is no index, it is damaged, or it was made with another encoder.
        ModelUnusableError: when it was embedded in 8-bit integers, and the encoder cannot compute so here.
        ChangeRefusedError: when an index of an earlier version does not record what a change needs, and when no text
            would be left.
        IndexBusyError: when another process writes to the index all the while.
        IndexNotWritableError: when the folder cannot be written to.
        LoccitError: when the disk refuses otherwise.
    """
    recorded = Manifest.load(
        current_generation(directory)
    ).encoder  # before a lock is made where there is no index
    require_encoder(recorded, encoder, directory)
    encoder = in_precision(encoder, recorded.precision)
    with alone_with(directory, encoder, wait_s=wait_s) as cache, _opened(directory, encoder) as before:
        return write_generation(
            directory,
            lambda arrivals: change(before, arrivals),
            cache=cache,
            encoder=encoder,
            settings=PassageSettings(**before.manifest.passages.model_dump()),
            engine=before.manifest.vectors.engine,
            console=console,
            embedded_together=embedded_together,
        )


def without_documents(ids: Sequence[str]) -> Change:
    """The change that drops the documents of these ids.

    Raises, when it is made:
        DocumentNotFoundError: naming the ids that no document has; nothing is changed then.
    """

    def change(before: Before, _: Arrivals) -> Contents:
        unknown = sorted(set(ids).difference(before.store.ids()))
        if unknown:
            raise DocumentNotFoundError(_not_found(unknown))
        return Contents(before.sources, before.store, frozenset(ids))

    return change


def without_source(name: str) -> Change:
    """The change that drops a source with all of its documents.

    Raises, when it is made:
        ChangeRefusedError: when the index has no such source.
    """

    def change(before: Before, _: Arrivals) -> Contents:
        names = [source.name for source in before.sources]
        if name not in names:
            raise ChangeRefusedError(f"The index has no source {name!r}; it has {', '.join(names)}.")
        others = [source for source in before.sources if source.name != name]
        return Contents(others, before.store, frozenset(before.store.ids(source=name)))

    return change


def _not_found(unknown: Sequence[str]) -> str:
    if len(unknown) == 1:
        return f"No document has the id {unknown[0]!r}; an answer's citations name ids that exist."
    named = ", ".join(map(repr, unknown[:_NAMED]))
    more = f" and {len(unknown) - _NAMED:,} others" if len(unknown) > _NAMED else ""
    return f"No document has the ids {named}{more}; an answer's citations name ids that exist."


_NAMED = 5


def _continued(before: SourceRecord, new: SourceRecord) -> SourceRecord:
    """The record of a source that was there and of which more was read."""
    unsaid = {name: getattr(before, name) for name in _TERMS if getattr(new, name) is None}
    return new.model_copy(
        update={
            "kind": before.kind,
            "malformed": before.malformed + new.malformed,
            "passed_over": dict(Counter(before.passed_over) + Counter(new.passed_over)),
            **unsaid,
        }
    )


@contextmanager
def _opened(directory: Path, encoder: Encoder) -> Iterator[Before]:
    """The current generation, whole; what is damaged is not copied."""
    hold = hold_current(directory)
    manifest = Manifest.load(hold.folder)
    require_encoder(manifest.encoder, encoder, directory)
    manifest.check_files(hold.folder)
    store = DocumentStore.open(hold.folder / STORE_FILE, source=manifest.only_source)
    try:
        if manifest.format_version < _CHANGEABLE_SINCE or None in store.count_by_source():
            raise ChangeRefusedError(
                f"The index in {directory} was built by an earlier version, which did not record all that a change "
                "needs; build it again first: nothing that is the same is embedded anew."
            )
        yield Before(store, manifest)
    finally:
        store.close()
