"""The documents that quotes are checked against: those of an index, without any model, or those handed in."""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, Self

from common.errors import DocumentNotFoundError
from common.progress import Advance
from quote_check.folding import folded
from quote_check.searched_text import SearchedText
from quote_check.standing import very_characters
from retriever.generations import hold_current
from retriever.holds import Hold
from retriever.index import LEXICAL_FOLDER, STORE_FILE
from retriever.lexical import LexicalIndex
from retriever.manifest import Manifest
from retriever.store import DocumentStore
from retriever.types import Document, Passage, Span

PASSAGES_SEEN = 50
"""Passages that a quote is looked for in, beside the documents that it is said to stand in."""

_WORDS_SEARCHED = 64  # at a time: a long quote is searched in parts
_PARTS_SEARCHED = 8
_AROUND = 500  # characters on each side of a passage that are searched with it, beside the quote's length
_DOCUMENTS_KEPT = 64  # that were named, folded: the next quote is often of the same
_TITLES_SEEN = 10
_BESIDE_WORDS = "()[]<>.,;:\"'`"
_ADDRESS = re.compile(r"[A-Za-z][\w+.-]{0,20}://[^\s<>\"'`\[\]|]+")


class Corpus(Protocol):
    """What a check needs of documents."""

    def named(self, doc_id: str) -> SearchedText | None:
        """The document of this id whole, if there is one."""

    def candidates(self, quote: str) -> Iterator[SearchedText]:
        """Where the quote may stand, the likeliest first."""

    def called(self, text: str) -> str | None:
        """The id of the document that a line of a list of sources names.

        The document whose id is the whole line; or else whose address is in it, whole; whose id is, and is no plain
        word; whose title is; or whose id is a word of it. Of several the one that takes up most of the line.
        """


class GivenCorpus:
    """Documents handed in: a quote is looked for in every one of them."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self._texts = {document.doc_id: SearchedText(document) for document in documents}

    def __len__(self) -> int:
        return len(self._texts)

    def named(self, doc_id: str) -> SearchedText | None:
        return self._texts.get(doc_id)

    def candidates(self, quote: str) -> Iterator[SearchedText]:  # noqa: ARG002 - all of them
        return iter(self._texts.values())

    def called(self, text: str) -> str | None:
        return _called(text, [searched.document for searched in self._texts.values()])

    def at(self, number: int) -> str | None:
        """The id of the document at this place, the first is 1; None when there are not as many."""
        return list(self._texts)[number - 1] if 0 < number <= len(self._texts) else None


class IndexCorpus:
    """The documents of an index. A quote is looked for in the passages that share the most of its words."""

    def __init__(self, store: DocumentStore, lexical: LexicalIndex, hold: Hold | None = None) -> None:
        self._store, self._lexical, self._hold = store, lexical, hold
        self._named: dict[str, SearchedText | None] = {}

    @classmethod
    def open(cls, directory: Path) -> Self:
        """The current index of this folder, every file checked against its recorded digest, read-only.

        Raises:
            IndexUnusableError: when it is missing, damaged or of another format version.
        """
        hold = hold_current(directory)
        folder = hold.folder
        manifest = Manifest.load(folder)
        manifest.check_files(folder)
        store = DocumentStore.open(folder / STORE_FILE, source=manifest.only_source)
        return cls(store, LexicalIndex.open(folder / LEXICAL_FOLDER), hold)

    def __len__(self) -> int:
        return self._store.count_documents()

    def named(self, doc_id: str) -> SearchedText | None:
        if doc_id not in self._named:
            if len(self._named) >= _DOCUMENTS_KEPT:
                self._named.pop(next(iter(self._named)))
            document = self._document(doc_id)
            self._named[doc_id] = None if document is None else SearchedText(document)
        return self._named[doc_id]

    def candidates(self, quote: str) -> Iterator[SearchedText]:
        margin = _AROUND + len(quote)
        for passage in self._passages(quote, PASSAGES_SEEN):
            document = self._document(passage.doc_id)
            if document is not None:
                start, end = passage.span.start - margin, passage.span.end + margin
                yield SearchedText(document, Span(max(0, start), min(len(document.text), end)))

    def called(self, text: str) -> str | None:
        named = [document for word in _said(text) if (document := self._document(word)) is not None]
        passages = self._passages(text, _TITLES_SEEN)
        return _called(text, [*named, *(Document(hit.doc_id, hit.title, "", hit.url) for hit in passages)])

    def holders(self, quotes: Iterable[str], advance: Advance) -> dict[str, str]:
        """By quote, the id of the first document that holds its very characters; complete: one pass over all."""
        waiting = sorted(set(quotes))
        holders: dict[str, str] = {}
        for document, _ in self._store.each_document():
            held = [quote for quote in waiting if very_characters(quote, document.text)]
            if held:
                holders |= dict.fromkeys(held, document.doc_id)
                waiting = [quote for quote in waiting if quote not in holders]
            advance()
        return holders

    def _document(self, doc_id: str) -> Document | None:
        try:
            return self._store.document(doc_id)
        except DocumentNotFoundError:
            return None

    def _passages(self, text: str, most: int) -> list[Passage]:
        parts = _parts(text.split())
        rows = []
        for part in parts:
            rows += [hit.row for hit in self._lexical.search(" ".join(part), k=max(1, most // len(parts)))]
        return self._store.passages(list(dict.fromkeys(rows)))


def _called(text: str, documents: Sequence[Document]) -> str | None:
    """See ``Corpus.called``."""
    said = _said(text)
    addresses = {_address(each) for each in (*said, *_ADDRESS.findall(text))}
    addresses |= {address.partition("#")[0].rstrip("/") for address in addresses}
    line, line_without_addresses = _spaced(text), _spaced(_ADDRESS.sub(" ", text))
    words = set(said)
    ids = [(document.doc_id, document) for document in documents if document.doc_id in words]
    urls = [
        (document.url, document)
        for document in documents
        if document.url and _address(document.url) in addresses
    ]
    titles = [
        (document.title, document)
        for document in documents
        # a document that has an address has no other one
        if (title := _spaced(document.title)).strip()
        and title in (line_without_addresses if document.url else line)
    ]
    steps = (
        [each for each in ids if each[0] == said[0]],
        urls,
        [each for each in ids if not each[0].isalnum()],
        titles,
        ids,
    )
    found = max(next(filter(None, steps), []), key=lambda each: len(each[0]), default=None)
    return None if found is None else found[1].doc_id


def _said(text: str) -> list[str]:
    """The line, then each of its words, without the marks around them."""
    said = (each.strip(_BESIDE_WORDS) for each in (text.strip(), *text.split()))
    return list(dict.fromkeys(filter(None, said)))


def _address(text: str) -> str:
    """Without what may be written differently: the scheme, and the slash that ends it."""
    return text.strip(_BESIDE_WORDS).rpartition("://")[2].rstrip("/")


def _spaced(text: str) -> str:
    """The folded words of the text, with a space around each."""
    return f" {' '.join(_plain(text))} "


def _plain(text: str) -> list[str]:
    return "".join(character if character.isalnum() else " " for character in folded(text)).split()


def _parts(words: list[str]) -> list[list[str]]:
    """Runs of words, evenly spread over a very long quote."""
    starts = range(0, len(words), _WORDS_SEARCHED)
    step = max(1, -(-len(starts) // _PARTS_SEARCHED))
    return [words[start : start + _WORDS_SEARCHED] for start in starts[::step]]
