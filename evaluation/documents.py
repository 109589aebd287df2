"""The documents that a run answered from, as scoring reads them: stored text, not what the answer claims."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from app.answering.checked_input import GivenDocument, checked_documents
from common.errors import DocumentNotFoundError
from evaluation.question_sets.question import QuestionJson
from retriever.index import STORE_FILE
from retriever.store import DocumentStore
from retriever.types import Document


class Documents:
    """Documents by id: those handed in with a question, else those of the index."""

    def __init__(self, store: DocumentStore) -> None:
        self._stored = lru_cache(maxsize=10_000)(store.document)

    @classmethod
    def of_run(cls, description: Mapping[str, Any]) -> Self | None:
        """The documents of the index generation that a run answered from; None when it is gone."""
        folder = Path(description["settings"]["index"]) / "generations" / str(description["generation"])
        return cls(DocumentStore.open(folder / STORE_FILE)) if folder.is_dir() else None

    def find(self, doc_id: str, question: QuestionJson) -> Document | None:
        """The document of this id that the question was answered from; None when there is none."""
        if question["documents"]:
            return given_documents(question).get(doc_id)
        try:
            return self._stored(doc_id)
        except DocumentNotFoundError:
            return None


def given_documents(question: QuestionJson) -> dict[str, Document]:
    """The documents handed in with a question, by id."""
    given = [GivenDocument(**document) for document in question["documents"]]
    count = sum(len(document.text) for document in given)
    checked = checked_documents(given, max_documents=len(given), max_characters=count)
    return {document.doc_id: document for document in checked}
