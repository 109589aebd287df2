"""Documents as they come in for an index, split into passages, until they are put in order."""

from pathlib import Path

from retriever.encoder import Encoder
from retriever.store import DocumentStore
from retriever.text.passages import PassageSettings, split
from retriever.types import Document


class Arrivals:
    """Documents in the order in which they came; no passage is longer than the encoder reads."""

    def __init__(self, path: Path, settings: PassageSettings, encoder: Encoder) -> None:
        self.store = DocumentStore.create(path)
        self._settings, self._encoder = settings, encoder

    def add(self, document: Document, *, location: str) -> None:
        """Take the document in; ``location`` says where it came from.

        Raises:
            DuplicateDocumentError: when a document of this id came before.
        """
        self.store.add(document, list(split(document, self._settings, self._encoder)), location=location)
