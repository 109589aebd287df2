"""Reading corpora into an index that is being written: ids, addresses, and what is left out."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from rich.console import Console

from common.errors import CorpusError
from common.progress import progress
from common.terminal_text import plain
from index_builder.arrivals import Arrivals
from index_builder.corpora import Corpus, Malformed, PassedOver, Record, Source
from index_builder.corpora.sources.folder import counted_kinds
from retriever.document_ids import id_problem
from retriever.manifest import SourceRecord
from retriever.store import DuplicateDocumentError

_MALFORMED_SHOWN = 20

SourceOf = Callable[[str], str | None]
"""The name of the source that a document of this id has in the index already; None where there is none."""


def read_corpora(
    corpora: Sequence[Corpus],
    arrivals: Arrivals,
    *,
    strict: bool,
    console: Console,
    source_of: SourceOf = lambda _: None,
) -> list[SourceRecord]:
    """Take in the documents of these corpora; what each is, and how many of its records are documents.

    An id that two of them share, or that a document of another source has in the index, begins with the source's name.

    ``strict``: stop at the first malformed record.

    Raises:
        CorpusError: for a malformed record under ``strict``, for a document id that occurs twice, also where the
            source's name is put before it, and for two corpora of one name.
    """
    _require_names(corpora)
    shared = _shared_ids(corpora)
    return [
        _read(corpus, arrivals, _Ids(corpus, shared, source_of), strict=strict, console=console)
        for corpus in corpora
    ]


def say_passed_over(sources: Sequence[SourceRecord], console: Console) -> None:
    """Say of each source what was passed over in it."""
    for source in sources:
        if source.passed_over:
            kinds = counted_kinds(source.passed_over)
            console.print(plain(f"Passed over in {source.name}: {kinds}."))


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


@dataclass(frozen=True, slots=True)
class _Ids:
    """What the documents of a corpus are called in the index."""

    corpus: Corpus
    shared: Collection[str]
    source_of: SourceOf

    def of(self, doc_id: str) -> str:
        """The id in the index of the document that has this one in the corpus.

        Raises:
            CorpusError: when it has to begin with the source's name, and a document of another source is called so.
        """
        name = self.corpus.source.name
        there = self.source_of(doc_id)
        if there == name:
            return doc_id
        prefixed = f"{name}/{doc_id}"
        holder = self.source_of(prefixed)
        prefixed_before = holder == name and prefixed not in self.corpus.ids
        if there is None and doc_id not in self.shared and not prefixed_before:
            return doc_id
        if holder not in (None, name):
            raise CorpusError(
                f"The document {doc_id!r} of the source {name!r} would be called {prefixed!r}, but the source "
                f"{holder!r} has a document of that id; give the source {name!r} another name, such as {name}-2=SOURCE."
            )
        return prefixed


def _read(corpus: Corpus, arrivals: Arrivals, ids: _Ids, *, strict: bool, console: Console) -> SourceRecord:
    documents = malformed = 0
    source = corpus.source
    passed_over = Counter(source.passed_over)
    with progress(console, f"Reading {source.name}", total=None) as advance:
        for item in corpus:
            advance()
            item = _addressable(item, ids)
            if isinstance(item, Malformed):
                malformed += 1
                _report(item, malformed, strict=strict, console=console)
            elif isinstance(item, PassedOver):
                passed_over[item.kind] += 1
            else:
                documents += 1
                _add(item, source, arrivals)
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


def _addressable(item: Record | Malformed | PassedOver, ids: _Ids) -> Record | Malformed | PassedOver:
    """The same, a document as the index has it: its id, its address. One whose id no address can name is malformed."""
    if not isinstance(item, Record):
        return item
    document, base = item.document, ids.corpus.source.base_url
    doc_id = ids.of(document.doc_id)
    if (problem := id_problem(document.doc_id) or id_problem(doc_id)) is not None:
        return Malformed(item.location, problem)
    url = document.url
    if url is None and base is not None:
        url = f"{base.rstrip('/')}/{quote(document.doc_id)}"
    return Record(replace(document, doc_id=doc_id, url=url), item.location)


def _report(item: Malformed, number: int, *, strict: bool, console: Console) -> None:
    if strict:
        raise CorpusError(f"{item.location}: {item.problem}")
    if number <= _MALFORMED_SHOWN:
        console.print(plain(f"Left out {item.location}: {item.problem}"))


def _add(record: Record, source: Source, arrivals: Arrivals) -> None:
    document, location = replace(record.document, source=source.name), record.location
    if not location.startswith(source.name):
        location = f"{source.name}/{location}"
    try:
        arrivals.add(document, location=location)
    except DuplicateDocumentError as error:
        raise CorpusError(
            f"The document id {document.doc_id!r} stands at {error.location} and again at {location}; every document "
            "needs an id of its own."
        ) from error
