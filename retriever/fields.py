"""The fields that documents can be filtered by: their metadata, their source, its licence, and their id."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from common.errors import InvalidRequestError
from retriever.filters import Condition, Filter, Key, Scalar, key_of, shown_field
from retriever.manifest import SourceRecord
from retriever.store import DocumentStore, StoredFields

DOCUMENT_ID, SOURCE, LICENCE = "document_id", "source", "licence"
OWN_FIELDS = (DOCUMENT_ID, SOURCE, LICENCE)
"""What every document may have by itself: metadata of the same name is kept, but cannot be filtered by."""

_NAMED = 6  # fields in a sentence

Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Selection:
    """The documents that a filter lets through.

    ``rows``: of their passages, ascending. ``matches``: whether a document is one of them, in the order of the store.
    """

    rows: npt.NDArray[np.int64]
    _place_of_id: Mapping[str, int]
    matches: Mask

    @property
    def documents(self) -> int:
        """How many they are."""
        return int(self.matches.sum())

    def holds(self, doc_id: str) -> bool:
        """Whether the document of this id is one of them; False where there is none of this id."""
        place = self._place_of_id.get(doc_id)
        return place is not None and bool(self.matches[place])


@dataclass(frozen=True, slots=True)
class _Field:
    """Where its values stand: ``places`` of the documents that have any, and ``by_value`` of those that have each."""

    places: Places
    by_value: Mapping[Key, list[int]]


@dataclass(frozen=True, slots=True)
class _Table:
    """What is recorded of all documents. A place is a document's in the order of the store."""

    place_of_id: Mapping[str, int]
    fields: Mapping[str, _Field]
    rows: npt.NDArray[np.int64]
    place_of_row: Places


class DocumentFields:
    """Finds documents by their fields. What is recorded of them is read once, at the first use.

    ``sources``: what the manifest says of each.
    """

    def __init__(self, store: DocumentStore, sources: Sequence[SourceRecord] = ()) -> None:
        self._store, self._sources = store, sources
        self._loaded: _Table | None = None
        self._turn = threading.Lock()

    def counts(self, allowed: Filter | None = None) -> dict[str, int]:
        """Every field with how many documents have a value of it: ``OWN_FIELDS`` first, the others by name.

        ``allowed``: only documents that match it count.
        """
        fields, matches = self._table().fields, self._matches(allowed)
        names = (*OWN_FIELDS, *sorted(fields.keys() - set(OWN_FIELDS)))
        counts = {name: int(matches[fields[name].places].sum()) for name in names if name in fields}
        return {name: count for name, count in counts.items() if count}

    def check(self, asked: Filter | None, *, allowed: Filter | None = None) -> None:
        """Refuses a filter by a field that no document has.

        ``allowed``: there are no other documents than those that match it.

        Raises:
            InvalidRequestError: naming the field, and those that there are.
        """
        if asked is None:
            return
        fields, matches = self._table().fields, self._matches(allowed)
        for condition in asked.conditions:
            of_field = fields.get(condition.field)
            if of_field is None or not matches[of_field.places].any():
                raise InvalidRequestError(self._unknown(condition.field, list(self.counts(allowed))))

    def selected(self, asked: Filter | None, *, allowed: Filter | None = None) -> Selection | None:
        """The documents that match both filters; None where neither is given, for all documents.

        Only ``asked`` is checked: ``allowed`` may name what no document has, and nothing matches it then.

        Raises:
            InvalidRequestError: see ``check``.
        """
        self.check(asked, allowed=allowed)
        if asked is None:
            return None if allowed is None else self.selection(allowed)
        return self.selection(asked if allowed is None else asked & allowed)

    def selection(self, wanted: Filter) -> Selection:
        """The documents that match; none match a field that no document has."""
        table, matches = self._table(), self._matches(wanted)
        return Selection(table.rows[matches[table.place_of_row]], table.place_of_id, matches)

    def count_by_source(self, selection: Selection) -> dict[str, int]:
        """How many of these documents each source has; without those whose source is not known."""
        of_source = self._table().fields.get(SOURCE)
        by_value = {} if of_source is None else of_source.by_value
        return {str(name): int(selection.matches[places].sum()) for (_, name), places in by_value.items()}

    def load(self) -> None:
        """Read what is recorded now, so that no question has to wait for it."""
        self._table()

    def _table(self) -> _Table:
        with self._turn:
            if self._loaded is None:
                self._loaded = _table_of(self._store, self._sources)
            return self._loaded

    def _matches(self, wanted: Filter | None) -> Mask:
        """Which documents match, by place; all of them where nothing is wanted."""
        matches = np.ones(len(self._table().place_of_id), dtype=bool)
        for condition in () if wanted is None else wanted.conditions:
            matches &= self._meets(condition)
        return matches

    def _meets(self, condition: Condition) -> Mask:
        table = self._table()
        meets = np.zeros(len(table.place_of_id), dtype=bool)
        if condition.field == DOCUMENT_ID:
            ids = [value for value in condition.values if isinstance(value, str)]
            meets[[table.place_of_id[doc_id] for doc_id in ids if doc_id in table.place_of_id]] = True
        elif condition.field in table.fields:
            by_value = table.fields[condition.field].by_value
            for key in map(key_of, condition.values):
                meets[by_value.get(key, [])] = True
        return meets

    def _unknown(self, name: str, known: Sequence[str]) -> str:
        if name in {SOURCE, LICENCE} and self._sources and SOURCE not in self._table().fields:
            return (
                f"The filter's field {shown_field(name)} cannot be used, because this index does not record which "
                "source each document is of; build it again."
            )
        named = ", ".join(map(shown_field, known[:_NAMED])) or "none"
        more = f" and {len(known) - _NAMED:,} more" if len(known) > _NAMED else ""
        return f"The filter's field {shown_field(name)} is not known; known are {named}{more}."


def _table_of(store: DocumentStore, sources: Sequence[SourceRecord]) -> _Table:
    documents = list(store.each_fields())
    licences = {source.name: source.licence for source in sources if source.licence is not None}
    found: dict[str, dict[Key, list[int]]] = {}
    for place, document in enumerate(documents):
        for name, value in _recorded(document, licences):
            found.setdefault(name, {}).setdefault(key_of(value), []).append(place)
    everywhere = _Field(np.arange(len(documents)), {})  # a document's own id is looked up by place_of_id
    rows, numbers = store.documents_of_rows()
    return _Table(
        {document.doc_id: place for place, document in enumerate(documents)},
        {DOCUMENT_ID: everywhere, **{name: _field(places) for name, places in found.items()}},
        rows,
        np.searchsorted(np.array([document.number for document in documents], dtype=np.int64), numbers),
    )


def _field(by_value: Mapping[Key, list[int]]) -> _Field:
    return _Field(np.unique(np.fromiter(chain.from_iterable(by_value.values()), dtype=np.int64)), by_value)


def _recorded(document: StoredFields, licences: Mapping[str, str]) -> Iterator[tuple[str, Scalar]]:
    """Each value that a document can be found by, with its field; null and an object are none."""
    if document.source is not None:
        yield SOURCE, document.source
        if document.source in licences:
            yield LICENCE, licences[document.source]
    for name, value in document.metadata.items():
        if name not in OWN_FIELDS:
            yield from ((name, item) for item in _items(value))


def _items(value: Any) -> list[Scalar]:  # noqa: ANN401 - any JSON value
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, (str, int, float))]
