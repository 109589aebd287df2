"""The passages that training groups are made of: a document store, and BM25 over its encyclopedia part."""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from reprlib import repr as shortened

from rich.console import Console

from common.errors import LoccitError
from common.files import numbered_records, whole_file
from common.progress import progress
from retriever.index import LEXICAL_FOLDER, STORE_FILE
from retriever.index_writer import IndexWriter
from retriever.lexical import LexicalIndex
from retriever.store import DocumentStore, DuplicateDocumentError
from retriever.text.passages import PassageSettings
from retriever.types import Document, Passage

_FINISHED_FILE = "corpus.json"
_COMMIT_EVERY = 5000


@dataclass(frozen=True, slots=True)
class TrainingCorpus:
    """``lexical`` knows the passages of the encyclopedia only, not the paragraphs that questions come with."""

    store: DocumentStore
    lexical: LexicalIndex

    def search(self, question: str, *, k: int) -> list[Passage]:
        """The encyclopedia's best k passages by BM25, best first."""
        return self.store.passages([row for row, _ in self.lexical.search(question, k=k)])


def paragraph_id(source: str, title: str, context: str) -> str:
    """The id under which a paragraph is stored as a document; ``source``: its data set."""
    return f"{source}/{title}/{sha256(context.encode()).hexdigest()[:16]}"


def paragraphs(source: str, texts: Iterable[tuple[str, str]]) -> Iterator[Document]:
    """Documents of (title, context), each once."""
    seen: set[str] = set()
    for title, context in texts:
        doc_id = paragraph_id(source, title, context)
        if doc_id not in seen:
            seen.add(doc_id)
            yield Document(doc_id, title, context)


def open_corpus(
    folder: Path, articles: Path, others: Iterable[Document], fingerprint: str, console: Console
) -> TrainingCorpus:
    """The corpus in this folder, built first unless one of this fingerprint was finished there before.

    ``articles``: documents with ``id, title, text``. ``others``: paragraphs that questions come with.
    """
    finished = folder / _FINISHED_FILE
    if not finished.is_file() or json.loads(finished.read_text())["fingerprint"] != fingerprint:
        shutil.rmtree(folder, ignore_errors=True)
        counts = _build(folder, articles, others, console)
        with whole_file(finished) as path:
            path.write_text(json.dumps({"fingerprint": fingerprint, **counts}, indent=1))
    return TrainingCorpus(DocumentStore.open(folder / STORE_FILE), LexicalIndex.open(folder / LEXICAL_FOLDER))


def open_store(folder: Path) -> DocumentStore:
    """The documents and passages of a finished corpus."""
    return DocumentStore.open(folder / STORE_FILE)


def _build(folder: Path, articles: Path, others: Iterable[Document], console: Console) -> dict[str, int]:
    folder.mkdir(parents=True)
    with closing(IndexWriter(PassageSettings(), folder)) as writer:
        _add(writer, _articles(articles), "Splitting articles", console)
        rows = len(writer.store.rows())
        with progress(console, "Indexing passages", total=rows) as advance:
            writer.write_lexical(advance)
        # only now, so that the lexical index does not know them
        _add(writer, others, "Splitting paragraphs", console)
        store = writer.store
        return {"documents": store.count_documents(), "passages": len(store.rows()), "indexed": rows}


def _add(writer: IndexWriter, documents: Iterable[Document], what: str, console: Console) -> None:
    with progress(console, what, total=None) as advance:
        for number, document in enumerate(documents, start=1):
            try:
                writer.add(document, location="")
            except DuplicateDocumentError as error:
                raise LoccitError(
                    f"The document id {document.doc_id!r} occurs twice; every document needs an id of its own."
                ) from error
            if number % _COMMIT_EVERY == 0:
                writer.store.commit()
            advance()
    writer.store.commit()


def _articles(path: Path) -> Iterator[Document]:
    for number, record in numbered_records(path):
        for name in ("id", "title", "text"):
            if not isinstance(record.get(name), str):
                raise LoccitError(
                    f"{path}:{number} has the {name} {shortened(record.get(name))}, but it must be a string."
                )
        yield Document(record["id"], record["title"], record["text"], record.get("url"))
