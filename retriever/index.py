"""A passage index: document store, vectors and lexical index, tied by the passage row."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from common.errors import IndexUnusableError, InvalidRequestError
from retriever.encoder import Encoder, passage_input
from retriever.generations import current_generation
from retriever.lexical import LexicalIndex
from retriever.manifest import EncoderIdentity, Manifest
from retriever.passages import PassageSettings, split
from retriever.store import DocumentStore, DuplicateDocumentError
from retriever.types import Document
from retriever.vectors import FlatVectorIndex, VectorIndex

STORE_FILE = "documents.sqlite"
VECTORS_FILE = "vectors.faiss"
LEXICAL_FOLDER = "lexical"


@dataclass(frozen=True, slots=True)
class PassageIndex:
    """The three parts of an index and how its documents were split.

    ``generation`` and ``manifest`` are None for one in memory.
    """

    store: DocumentStore
    vectors: VectorIndex
    lexical: LexicalIndex
    settings: PassageSettings
    generation: str | None = None
    manifest: Manifest | None = None


def read_manifest(directory: Path) -> Manifest:
    """What the current index of this folder says of itself; IndexUnusableError when it cannot be read."""
    return Manifest.load(current_generation(directory))


def open_index(directory: Path, encoder: Encoder) -> PassageIndex:
    """The current index of this folder, every file checked against its recorded digest, read-only.

    Raises:
        IndexUnusableError: when it is missing, damaged, of another format version, or made with another
            encoder than this one.
    """
    folder = current_generation(directory)
    manifest = Manifest.load(folder)
    _require_encoder(manifest.encoder, encoder, directory)
    manifest.check_files(folder)
    return PassageIndex(
        store=DocumentStore.open(folder / STORE_FILE),
        vectors=FlatVectorIndex.load(folder / VECTORS_FILE),
        lexical=LexicalIndex.open(folder / LEXICAL_FOLDER),
        settings=PassageSettings(**manifest.passages.model_dump()),
        generation=folder.name,
        manifest=manifest,
    )


def index_in_memory(
    documents: Iterable[Document], encoder: Encoder, settings: PassageSettings
) -> PassageIndex:
    """An index of a few documents that leaves nothing on disk: GopherCite's single-document mode.

    Raises:
        InvalidRequestError: when two documents have the same id.
    """
    store = DocumentStore.create()
    for document in documents:
        try:
            store.add(document, list(split(document, settings)), location="request")
        except DuplicateDocumentError as error:
            raise InvalidRequestError(
                f"Two documents have the id {document.doc_id!r}; give each its own id."
            ) from error
    return PassageIndex(store, _embed(store, encoder), _lexical(store), settings)


def _embed(store: DocumentStore, encoder: Encoder) -> FlatVectorIndex:
    vectors = FlatVectorIndex(encoder.dimension)
    passages = list(store.each_passage())
    if passages:
        inputs = [passage_input(passage.title, passage.text) for passage in passages]
        vectors.add([passage.row for passage in passages], encoder.encode_passages(inputs))
    return vectors


def _lexical(store: DocumentStore) -> LexicalIndex:
    lexical = LexicalIndex()
    lexical.add((passage.row, passage.title, passage.text) for passage in store.each_passage())
    return lexical


def _require_encoder(recorded: EncoderIdentity, encoder: Encoder, directory: Path) -> None:
    if (recorded.sha256, recorded.dimension) != (encoder.sha256, encoder.dimension):
        raise IndexUnusableError(
            f"The index in {directory} was made with the encoder {recorded.name!r} "
            f"(weights sha256 {recorded.sha256[:12]}...), but {encoder.name!r} ({encoder.sha256[:12]}...) is "
            "asked to search it; use the same encoder, or build the index again with this one."
        )
