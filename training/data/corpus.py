"""The passages that training groups are made of: a document store, and BM25 over its encyclopedia part."""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from rich.console import Console

from common.files import records, whole_file
from common.progress import progress
from retriever.index import LEXICAL_FOLDER, STORE_FILE
from retriever.indexing import IndexWriter
from retriever.lexical import LexicalIndex
from retriever.passages import PassageSettings
from retriever.store import DocumentStore
from retriever.types import Document, Passage

SQUAD_PREFIX = "squad/"
_FINISHED_FILE = "corpus.json"
_COMMIT_EVERY = 5000


@dataclass(frozen=True, slots=True)
class TrainingCorpus:
    """``lexical`` knows the passages of the encyclopedia only, not SQuAD's paragraphs."""

    store: DocumentStore
    lexical: LexicalIndex

    def search(self, question: str, *, k: int) -> list[Passage]:
        """The encyclopedia's best k passages by BM25, best first."""
        return self.store.passages([row for row, _ in self.lexical.search(question, k=k)])


def paragraph_id(title: str, context: str) -> str:
    """The id under which a SQuAD paragraph is stored as a document."""
    return f"{SQUAD_PREFIX}{title}/{sha256(context.encode()).hexdigest()[:16]}"


def open_corpus(
    folder: Path, articles: Path, squad: Path, fingerprint: str, console: Console
) -> TrainingCorpus:
    """The corpus in this folder, built first unless one of this fingerprint was finished there before.

    ``articles``: documents with ``id, title, text``. ``squad``: rows whose ``title`` and ``context`` become
    documents, each paragraph once.
    """
    finished = folder / _FINISHED_FILE
    if not finished.is_file() or json.loads(finished.read_text())["fingerprint"] != fingerprint:
        shutil.rmtree(folder, ignore_errors=True)
        counts = _build(folder, articles, squad, console)
        with whole_file(finished) as path:
            path.write_text(json.dumps({"fingerprint": fingerprint, **counts}, indent=1))
    return TrainingCorpus(DocumentStore.open(folder / STORE_FILE), LexicalIndex.open(folder / LEXICAL_FOLDER))


def open_store(folder: Path) -> DocumentStore:
    """The documents and passages of a finished corpus."""
    return DocumentStore.open(folder / STORE_FILE)


def _build(folder: Path, articles: Path, squad: Path, console: Console) -> dict[str, int]:
    folder.mkdir(parents=True)
    with closing(IndexWriter(PassageSettings(), folder)) as writer:
        _add(writer, _articles(articles), "Splitting articles", console)
        rows = len(writer.store.rows())
        with progress(console, "Indexing passages", total=rows) as advance:
            writer.write_lexical(advance)
        # only now, so that the lexical index does not know them
        _add(writer, _paragraphs(squad), "Splitting SQuAD paragraphs", console)
        store = writer.store
        return {"documents": store.count_documents(), "passages": len(store.rows()), "indexed": rows}


def _add(writer: IndexWriter, documents: Iterable[Document], what: str, console: Console) -> None:
    with progress(console, what, total=None) as advance:
        for number, document in enumerate(documents, start=1):
            writer.add(document, location="")
            if number % _COMMIT_EVERY == 0:
                writer.store.commit()
            advance()
    writer.store.commit()


def _articles(path: Path) -> Iterator[Document]:
    for record in records(path):
        yield Document(record["id"], record["title"], record["text"], record.get("url"))


def _paragraphs(path: Path) -> Iterator[Document]:
    seen: set[str] = set()
    paragraphs = groupby(records(path), key=lambda record: (record["title"], record["context"]))
    for (title, context), _ in paragraphs:
        doc_id = paragraph_id(title, context)
        if doc_id not in seen:
            seen.add(doc_id)
            yield Document(doc_id, title, context)
