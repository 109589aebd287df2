"""The documents that quotes are checked against: an index's texts and words, without any model."""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

from common.errors import DocumentNotFoundError
from common.progress import Advance
from retriever.generations import hold_current
from retriever.holds import Hold
from retriever.index import LEXICAL_FOLDER, STORE_FILE
from retriever.lexical import LexicalIndex
from retriever.manifest import Manifest
from retriever.store import DocumentStore
from retriever.types import Document

PASSAGES_SEEN = 50
"""Passages whose documents are searched for a near match."""

_WORDS_SEARCHED = 64  # at a time: a long quote is searched in parts
_PARTS_SEARCHED = 8


class Corpus:
    """Documents by id, by a text that they hold, and by words."""

    def __init__(self, store: DocumentStore, lexical: LexicalIndex, hold: Hold | None = None) -> None:
        self._store = store
        self._lexical = lexical
        self._hold = hold

    @classmethod
    def open(cls, directory: Path) -> Self:
        """The current index of this folder, every file checked against its recorded digest, read-only.

        Raises:
            IndexUnusableError: when it is missing, damaged or of another format version.
        """
        hold = hold_current(directory)
        folder = hold.folder
        Manifest.load(folder).check_files(folder)
        return cls(DocumentStore.open(folder / STORE_FILE), LexicalIndex.open(folder / LEXICAL_FOLDER), hold)

    def __len__(self) -> int:
        return self._store.count_documents()

    def document(self, doc_id: str) -> Document | None:
        """The document of this id, if there is one."""
        try:
            return self._store.document(doc_id)
        except DocumentNotFoundError:
            return None

    def holders(self, quotes: Iterable[str], advance: Advance) -> dict[str, str]:
        """By quote, the id of the first document that holds its very characters; complete: one pass over all."""
        waiting = sorted(set(quotes))
        holders: dict[str, str] = {}
        for document, _ in self._store.each_document():
            held = [quote for quote in waiting if quote in document.text]
            if held:
                holders |= dict.fromkeys(held, document.doc_id)
                waiting = [quote for quote in waiting if quote not in holders]
            advance()
        return holders

    def candidates(self, quote: str) -> list[Document]:
        """Documents whose passages share the quote's words, best first."""
        rows = []
        parts = _parts(quote.split())
        for part in parts:
            rows += [hit.row for hit in self._lexical.search(" ".join(part), k=PASSAGES_SEEN // len(parts))]
        passages = self._store.passages(list(dict.fromkeys(rows)))
        return [
            self._store.document(doc_id) for doc_id in dict.fromkeys(passage.doc_id for passage in passages)
        ]


def _parts(words: list[str]) -> list[list[str]]:
    """Runs of words, evenly spread over a very long quote."""
    starts = range(0, len(words), _WORDS_SEARCHED)
    step = max(1, -(-len(starts) // _PARTS_SEARCHED))
    return [words[start : start + _WORDS_SEARCHED] for start in starts[::step]]
