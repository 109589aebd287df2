"""The passages that training groups are made of: a document store, and BM25 over its encyclopedia part."""

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from rich.console import Console

from common.errors import LoccitError
from common.files import Record, numbered_records, whole_file
from common.progress import progress
from retriever.index import LEXICAL_FOLDER, STORE_FILE
from retriever.indexing import IndexWriter
from retriever.lexical import LexicalIndex
from retriever.passages import PassageSettings
from retriever.store import DocumentStore, DuplicateDocumentError
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
        doc_id, title, text = _fields(record, ("id", "title", "text"), f"{path}:{number}")
        yield Document(doc_id, title, text, record.get("url"))


def _paragraphs(path: Path) -> Iterator[Document]:
    seen: set[str] = set()
    for number, record in numbered_records(path):
        title, context = _fields(record, ("title", "context"), f"{path}:{number}")
        doc_id = paragraph_id(title, context)
        if doc_id not in seen:
            seen.add(doc_id)
            yield Document(doc_id, title, context)


def _fields(record: Record, names: Sequence[str], place: str) -> list[str]:
    """The strings under these names; LoccitError with the place when one of them is missing or is something else."""
    for name in names:
        if not isinstance(record.get(name), str):
            raise LoccitError(f"{place} has the {name} {record.get(name)!r}, but it must be a string.")
    return [record[name] for name in names]
