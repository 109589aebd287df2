"""Proving an index: every digest, every row in all three parts, every passage inside its document."""

from pathlib import Path

import numpy as np

from common.errors import IndexUnusableError
from retriever.generations import hold_current
from retriever.index import LEXICAL_FOLDER, STORE_FILE, open_vectors
from retriever.lexical import LexicalIndex
from retriever.manifest import Manifest
from retriever.store import DocumentStore


def verify_index(directory: Path) -> Manifest:
    """The manifest of an index that is whole.

    Raises:
        IndexUnusableError: with the first thing that is not as it was built.
    """
    hold = hold_current(directory)
    folder = hold.folder
    manifest = Manifest.load(folder)
    manifest.check_files(folder)
    store = DocumentStore.open(folder / STORE_FILE)
    rows = store.rows()
    if len(rows) != manifest.counts.passages or store.count_documents() != manifest.counts.documents:
        raise IndexUnusableError(
            f"The document store holds {store.count_documents()} documents and {len(rows)} passages, but the "
            f"manifest says {manifest.counts.documents} and {manifest.counts.passages}; build the index again."
        )
    for name, other in (
        ("vector index", open_vectors(folder, manifest).rows()),
        ("lexical index", LexicalIndex.open(folder / LEXICAL_FOLDER).rows()),
    ):
        if not np.array_equal(rows, other):
            strays = len(np.setxor1d(rows, other))
            raise IndexUnusableError(
                f"The {name} and the document store differ in {strays} rows; build the index again."
            )
    _verify_documents(store)
    return manifest


def _verify_documents(store: DocumentStore) -> None:
    for document, recorded in store.each_document():
        if document.sha256 != recorded:
            raise IndexUnusableError(
                f"The text of document {document.doc_id!r} is not the one that was stored; build again."
            )
    for passage in store.each_passage():
        if len(passage.text) != len(passage.span):
            raise IndexUnusableError(
                f"Passage {passage.row} ends beyond its document {passage.doc_id!r}; build the index again."
            )
