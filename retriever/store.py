"""The document store: documents once, passages as spans of them (SQLite)."""

import json
import sqlite3
import threading
import weakref
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from common.errors import DocumentNotFoundError, IndexUnusableError
from retriever.blocks import packed, unpacked
from retriever.text.passages import PassageDraft
from retriever.types import Document, Passage, Span

_SCHEMA = """
CREATE TABLE documents (
    number INTEGER PRIMARY KEY,
    doc_id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    url TEXT,
    metadata TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    location TEXT NOT NULL
) STRICT;
CREATE TABLE passages (
    row INTEGER PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES documents (number),
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    continuation_end INTEGER NOT NULL,
    headings TEXT NOT NULL
) STRICT;
CREATE TABLE blocks (
    document INTEGER PRIMARY KEY REFERENCES documents (number),
    packed BLOB NOT NULL
) STRICT;
CREATE TABLE sources (
    document INTEGER PRIMARY KEY REFERENCES documents (number),
    name TEXT NOT NULL
) STRICT;
"""

_DOCUMENT = "doc_id, title, text, url, metadata, sha256, location"
"""What is stored of a document itself, in this order."""

_NO_SOURCES = """
PRAGMA temp_store = MEMORY;
CREATE TEMP TABLE sources (document INTEGER PRIMARY KEY, name TEXT NOT NULL);
"""
"""Beside a file of an earlier version, which did not record them."""

_READ_TOGETHER = 1_000  # passages that are in memory at a time when every one is read


class DuplicateDocumentError(Exception):
    """A document of this id is stored already; ``location`` says where that one came from."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


@dataclass(frozen=True, slots=True)
class StoredFields:
    """What is recorded of a document beside its text. ``number``: what the store knows it by."""

    number: int
    doc_id: str
    metadata: Mapping[str, Any]
    source: str | None


class DocumentStore:
    """Documents by id, passages by row. Text goes in and comes out code point by code point.

    Any thread may look things up: a connection's cached statements are not safe to share, so they take turns.

    ``source``: the one that every document is of whose own is not recorded; None: not known.
    """

    def __init__(self, connection: sqlite3.Connection, *, source: str | None = None) -> None:
        self._connection, self._source = connection, source
        self._turn = threading.Lock()
        weakref.finalize(self, connection.close)  # when the last reader of an index is done
        self._has_blocks = bool(  # the documents of an index of format 1 are plain text
            self._all("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'blocks'")
        )
        headings = "headings" if self._has_blocks else "'[]'"
        self._passages = f"SELECT row, document, start, end, continuation_end, {headings} FROM passages"  # noqa: S608 - two constants

    @classmethod
    def create(cls, path: Path | None = None) -> Self:
        """A new, empty store in this file, or in memory."""
        connection = sqlite3.connect(path or ":memory:", check_same_thread=False)
        connection.executescript(_SCHEMA)
        return cls(connection)

    @classmethod
    def open(cls, path: Path, *, source: str | None = None) -> Self:
        """The store in this file, read-only: nothing is locked and nothing is written beside it.

        ``source``: see the class.

        Raises:
            IndexUnusableError: when the file is not such a store.
        """
        try:
            address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
            connection = sqlite3.connect(address, uri=True, check_same_thread=False)
            connection.execute("SELECT row FROM passages LIMIT 1").fetchone()
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'sources'").fetchone():
                connection.executescript(_NO_SOURCES)
        except sqlite3.Error as error:
            raise IndexUnusableError(f"{path} is not a readable document store; build it again.") from error
        return cls(connection, source=source)

    def add(self, document: Document, drafts: Sequence[PassageDraft], *, location: str) -> None:
        """Store a document and its passages, under the rows that follow the last ones.

        Raises:
            DuplicateDocumentError: when a document of this id is there already.
        """
        try:
            self._insert(
                (
                    document.doc_id,
                    document.title,
                    document.text,
                    document.url,
                    json.dumps(dict(document.metadata), ensure_ascii=False),
                    document.sha256,
                    location,
                ),
                document.source,
                packed(document.blocks) if document.blocks else None,
                [
                    (
                        draft.span.start,
                        draft.span.end,
                        draft.continuation_end,
                        json.dumps(draft.headings, ensure_ascii=False),
                    )
                    for draft in drafts
                ],
            )
        except sqlite3.IntegrityError as error:
            query = "SELECT location FROM documents WHERE doc_id = ?"
            raise DuplicateDocumentError(
                self._connection.execute(query, (document.doc_id,)).fetchone()[0]
            ) from error

    def take(self, stores: Sequence["DocumentStore"], *, without: Collection[str] = frozenset()) -> None:
        """Store the documents of these stores with their passages, ascending by id.

        So the same documents get the same rows, whatever order they once came in. Of one id, the last store's document
        counts. ``without``: ids that are left out.
        """
        places = {place[0]: (store, place) for store in stores for place in store._places()}
        for doc_id in sorted(places.keys() - without):
            store, (_, *place) = places[doc_id]
            self._copy(store, *place)

    def commit(self) -> None:
        """Make what was added last."""
        self._connection.commit()

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def document(self, doc_id: str) -> Document:
        """The stored document.

        Raises:
            DocumentNotFoundError: when no document has this id.
        """
        records = self._all(
            "SELECT number, doc_id, title, text, url, metadata, name FROM documents"
            " LEFT JOIN sources ON document = number WHERE doc_id = ?",
            doc_id,
        )
        if not records:
            raise document_not_found(doc_id)
        return self._document(*records[0])

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """The passages of these rows, in the order asked for."""
        records = self._all(
            self._passages + " WHERE row IN (SELECT value FROM json_each(?)) ORDER BY document",  # noqa: S608
            json.dumps(rows),
        )
        by_row = {passage.row: passage for passage in self._with_texts(records)}
        return [by_row[row] for row in rows]

    def each_passage(self) -> Iterator[Passage]:
        """Every passage, ascending by row."""
        last = -1
        while records := self._all(
            self._passages + " WHERE row > ? ORDER BY row LIMIT ?", last, _READ_TOGETHER
        ):
            yield from self._with_texts(records)
            last = records[-1][0]

    def each_document(self) -> Iterator[tuple[Document, str]]:
        """Every document with the sha256 recorded when it was stored."""
        for (number,) in self._all("SELECT number FROM documents ORDER BY number"):
            *fields, sha256 = self._all(
                "SELECT doc_id, title, text, url, metadata, name, sha256 FROM documents"
                " LEFT JOIN sources ON document = number WHERE number = ?",
                number,
            )[0]
            yield self._document(number, *fields), sha256

    def each_fields(self) -> Iterator[StoredFields]:
        """What is recorded of every document, ascending by number."""
        query = (
            "SELECT number, doc_id, metadata, name FROM documents"
            " LEFT JOIN sources ON document = number ORDER BY number"
        )
        for number, doc_id, metadata, source in self._all(query):
            yield StoredFields(number, doc_id, json.loads(metadata), source or self._source)

    def documents_of_rows(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Every passage row, ascending, and the number of its document."""
        records = self._all("SELECT row, document FROM passages ORDER BY row")
        rows, numbers = np.asarray(records, dtype=np.int64).reshape(-1, 2).T
        return rows, numbers

    def rows(self) -> npt.NDArray[np.int64]:
        """Every passage row, ascending."""
        with self._turn:
            records = self._connection.execute("SELECT row FROM passages ORDER BY row")
            return np.fromiter((row for (row,) in records), dtype=np.int64)

    def count_documents(self) -> int:
        """How many documents are stored."""
        return int(self._all("SELECT count(*) FROM documents")[0][0])

    def count_by_source(self) -> dict[str | None, int]:
        """How many documents each source has; None stands for those whose source is not known."""
        counts = self._all(
            "SELECT name, count(*) FROM documents LEFT JOIN sources ON document = number GROUP BY name"
        )
        return {name or self._source: count for name, count in counts}

    def source_of(self, doc_id: str) -> str | None:
        """The name of the source of this document; None where there is no such document, or it is not known."""
        query = "SELECT name FROM documents LEFT JOIN sources ON document = number WHERE doc_id = ?"
        return next((name or self._source for (name,) in self._all(query, doc_id)), None)

    def ids(self, *, source: str | None = None) -> list[str]:
        """The ids of all documents, or of those of this source, ascending."""
        query = "SELECT doc_id, name FROM documents LEFT JOIN sources ON document = number ORDER BY doc_id"
        return [doc_id for doc_id, name in self._all(query) if source in (None, name or self._source)]

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._turn:
            return self._connection.execute(query, values).fetchall()

    def _places(self) -> list[tuple[str, int, int, int]]:
        """Of every document: id, number, first and last row; the rows of one follow one another."""
        return self._all(
            "SELECT doc_id, number, coalesce(min(row), 0), coalesce(max(row), -1) FROM documents"
            " LEFT JOIN passages ON document = number GROUP BY number"
        )

    def _copy(self, store: "DocumentStore", number: int, first: int, last: int) -> None:
        """Store one document of another store as it is there, with its passages from the first row to the last."""
        ((*document, source),) = store._all(
            f"SELECT {_DOCUMENT}, name FROM documents LEFT JOIN sources ON document = number WHERE number = ?",  # noqa: S608
            number,
        )
        blocks = (
            store._all("SELECT packed FROM blocks WHERE document = ?", number) if store._has_blocks else []
        )
        passages = store._all(store._passages + " WHERE row BETWEEN ? AND ? ORDER BY row", first, last)
        self._insert(
            document,
            source or store._source,
            blocks[0][0] if blocks else None,
            [entry[2:] for entry in passages],
        )

    def _insert(
        self,
        document: Sequence[Any],
        source: str | None,
        blocks: bytes | None,
        passages: Sequence[tuple[Any, ...]],
    ) -> None:
        number = self._connection.execute(
            f"INSERT INTO documents ({_DOCUMENT}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
            document,
        ).lastrowid
        if source is not None:
            self._connection.execute("INSERT INTO sources (document, name) VALUES (?, ?)", (number, source))
        if blocks is not None:
            self._connection.execute("INSERT INTO blocks (document, packed) VALUES (?, ?)", (number, blocks))
        self._connection.executemany(
            "INSERT INTO passages (document, start, end, continuation_end, headings) VALUES (?, ?, ?, ?, ?)",
            [(number, *passage) for passage in passages],
        )

    def _document(
        self,
        number: int,
        doc_id: str,
        title: str,
        text: str,
        url: str | None,
        metadata: str,
        source: str | None,
    ) -> Document:
        query = "SELECT packed FROM blocks WHERE document = ?"
        records = self._all(query, number) if self._has_blocks else []
        blocks = unpacked(records[0][0]) if records else ()
        return Document(doc_id, title, text, url, json.loads(metadata), blocks, source=source or self._source)

    def _with_texts(self, records: Sequence[tuple[Any, ...]]) -> Iterator[Passage]:
        # records of one document stand together, so that its text is read once
        current, doc_id, title, text, url, source = None, "", "", "", None, None
        for row, number, start, end, continuation_end, headings in records:
            if number != current:
                current = number
                query = (
                    "SELECT doc_id, title, text, url, name FROM documents"
                    " LEFT JOIN sources ON document = number WHERE number = ?"
                )
                ((doc_id, title, text, url, source),) = self._all(query, number)
            yield Passage(
                row,
                doc_id,
                title,
                text[start:end],
                Span(start, end),
                text[end:continuation_end],
                tuple(json.loads(headings)),
                url=url,
                source=source or self._source,
            )


def document_not_found(doc_id: str) -> DocumentNotFoundError:
    """What there is to say where no document has this id."""
    return DocumentNotFoundError(
        f"No document has the id {doc_id!r}; an answer's citations name ids that exist."
    )
