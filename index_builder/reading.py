"""Reading corpora into an index that is being written: ids, addresses, and what is left out."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from rich.console import Console

from common.errors import CorpusError
from common.progress import progress
from common.terminal_text import plain
from common.wording import counted
from index_builder.arrivals import Arrivals
from index_builder.corpora import Corpus, Malformed, PassedOver, Record, Source
from index_builder.corpora.names import printable
from index_builder.corpora.sources.folder import counted_kinds
from index_builder.corpora.sources.named import NamedCorpus
from index_builder.corpora.terms import with_terms
from retriever.document_ids import id_problem
from retriever.fields import OWN_FIELDS
from retriever.manifest import SourceRecord
from retriever.store import DuplicateDocumentError

_MALFORMED_SHOWN = 20
_RENAMED_SHOWN = 5
_LOOKED_UP = 1_000  # ids of a folder, to tell which source it is a part of

SourceOf = Callable[[str], str | None]
"""The name of the source that a document of this id has in the index already; None where there is none."""


def read_corpora(
    corpora: Sequence[Corpus],
    arrivals: Arrivals,
    *,
    strict: bool,
    console: Console,
    source_of: SourceOf = lambda _: None,
    known: Collection[str] = (),
) -> list[SourceRecord]:
    """Take in the documents of these corpora; what each is, and how many of its records are documents.

    An id that two of them share, or that a document of another source has in the index, begins with the source's name;
    which do is said. Where ids are not known beforehand, the first source to come keeps its own.

    ``known``: the sources that the index has. A file or folder that stands in the folder of one replaces its
    documents there.
    ``strict``: stop at the first malformed record.

    Raises:
        CorpusError: for a malformed record under ``strict``, for a document id that occurs twice, also where the
            source's name is put before it, and for two corpora of one name.
    """
    placed = [_in_its_folder(corpus, source_of, known) for corpus in corpora]
    _require_names([corpus for corpus, before in zip(placed, corpora, strict=True) if corpus is before])
    shared = _shared_ids(placed)
    return [
        _read(
            corpus,
            arrivals,
            _Ids(corpus, shared, source_of, arrivals.store.source_of),
            strict=strict,
            console=console,
        )
        for corpus in placed
    ]


def say_passed_over(sources: Sequence[SourceRecord], console: Console) -> None:
    """Say of each source what was passed over in it."""
    for source in sources:
        if source.passed_over:
            kinds = counted_kinds(source.passed_over)
            console.print(plain(f"Passed over in {source.name}: {kinds}."))


def _in_its_folder(corpus: Corpus, source_of: SourceOf, known: Collection[str]) -> Corpus:
    """The corpus; one file, or a folder, in the folder of a source that is known, as what this source has there.

    Under a name that was given, that is the only source, and a document that it does not have yet gets the id that
    its folder gives.
    """
    given, own_name = None, corpus.source.name
    if isinstance(corpus, NamedCorpus):
        given, own_name = corpus.given, corpus.own_name
    is_file = [printable(doc_id) for doc_id in corpus.ids] == [own_name]
    ids = sorted(doc_id for doc_id in corpus.ids if doc_id == printable(doc_id))  # no document has another
    places = _places(corpus)
    if not ids or not known or not places:
        return corpus

    def held(name: str, place: _Place) -> int:
        """How many of its documents the source has there; of very many, how many of the first thousand."""
        called = [f"{place.prefix}{doc_id}" for doc_id in ids[:_LOOKED_UP]]
        return sum(name in (source_of(doc_id), source_of(f"{name}/{doc_id}")) for doc_id in called)

    def best(name: str | None, among: Sequence[_Place], least: float = 1) -> list[_Place]:
        """The place that holds the most of it, at least so many."""
        counts = [held(name or place.folder.name, place) for place in among]
        return [among[counts.index(max(counts))]] if max(counts, default=0) >= least else []

    if given is None:
        found = best(None, [place for place in places if place.folder.name in known])
    elif given in known:
        named = [place for place in places if place.folder.name == given]
        of_file = named if is_file else []
        half = min(len(ids), _LOOKED_UP) / 2
        found = best(given, named) or of_file or best(given, places[::-1], half) or named
    else:
        found = []
    own, place = corpus.source, found[0] if found else None
    if place is None or (not place.prefix and given is None and own.name == place.folder.name):
        return corpus
    name = given or place.folder.name
    base_url = own.base_url or with_terms(replace(own, name=name), place.folder).base_url
    return NamedCorpus(corpus, name, base_url, prefix=place.prefix)


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder that a corpus is a part of, and what its documents' ids begin with from there."""

    folder: Path
    prefix: str


def _places(corpus: Corpus) -> list[_Place]:
    """The nearest first; none beyond a folder whose name no id can have."""
    places, prefix = [], ""
    for folder in corpus.folders:
        places.append(_Place(folder, prefix))
        prefix = f"{folder.name}/{prefix}"
        if prefix != printable(prefix):
            break
    return places


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


@dataclass(slots=True)
class _Ids:
    """What the documents of a corpus are called in the index.

    ``arrived``: the source of one that came just now. ``renamed``: how many got their source's name before their id.
    """

    corpus: Corpus
    shared: Collection[str]
    source_of: SourceOf
    arrived: SourceOf
    renamed: int = 0
    shown: list[str] = field(default_factory=list)

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
        others = there is not None or doc_id in self.shared or self.arrived(doc_id) not in (None, name)
        if not others and not prefixed_before:
            return doc_id
        if holder not in (None, name):
            raise CorpusError(
                f"The document {doc_id!r} of the source {name!r} would be called {prefixed!r}, but the source "
                f"{holder!r} has a document of that id; give the source {name!r} another name, such as {name}-2=SOURCE."
            )
        self.renamed += 1
        if self.renamed <= _RENAMED_SHOWN:
            self.shown.append(f"{doc_id} to {prefixed}")
        return prefixed

    def say_renamed(self, console: Console) -> None:
        """Say which documents begin with the source's name."""
        if not self.renamed:
            return
        more = self.renamed - len(self.shown)
        others = f" and {more:,} others" if more else ""
        name, shown = self.corpus.source.name, ", ".join(self.shown)
        console.print(plain(f"Renamed in {name}, as other sources have these ids: {shown}{others}."))


def _read(corpus: Corpus, arrivals: Arrivals, ids: _Ids, *, strict: bool, console: Console) -> SourceRecord:
    documents = malformed = 0
    source = corpus.source
    passed_over = Counter(source.passed_over)
    shadowed: Counter[str] = (
        Counter()
    )  # metadata that a filter does not find, as it has the name of a field of the index
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
                shadowed.update(item.document.metadata.keys() & OWN_FIELDS)
                _add(item, source, arrivals)
    ids.say_renamed(console)
    if shadowed:
        fields = ", ".join(
            f"{name} ({counted(count, 'document')})" for name, count in sorted(shadowed.items())
        )
        console.print(
            plain(
                f"Kept but not filtered by in {source.name}: {fields}. The index has fields of its own of these names."
            )
        )
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
