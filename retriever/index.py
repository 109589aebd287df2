"""A passage index: document store, vectors and lexical index, tied by the passage row."""

from dataclasses import dataclass
from pathlib import Path

from common.errors import IndexUnusableError
from retriever.encoder import Encoder
from retriever.generations import current_generation
from retriever.lexical import LexicalIndex
from retriever.manifest import EncoderIdentity, Manifest
from retriever.passages import PassageSettings
from retriever.store import DocumentStore
from retriever.vectors.engines import load_vectors
from retriever.vectors.protocol import VectorIndex

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
        store=DocumentStore.open(folder / STORE_FILE, source=manifest.only_source),
        vectors=open_vectors(folder, manifest),
        lexical=LexicalIndex.open(folder / LEXICAL_FOLDER),
        settings=PassageSettings(**manifest.passages.model_dump()),
        generation=folder.name,
        manifest=manifest,
    )


def open_vectors(folder: Path, manifest: Manifest) -> VectorIndex:
    """The vectors of this generation, by the engine that its manifest records.

    Raises:
        IndexUnusableError: when the engine is not known here, or the file is damaged.
    """
    return load_vectors(folder / VECTORS_FILE, manifest.vectors.engine, manifest.vectors.arguments)


def _require_encoder(recorded: EncoderIdentity, encoder: Encoder, directory: Path) -> None:
    if (recorded.sha256, recorded.dimension) != (encoder.sha256, encoder.dimension):
        raise IndexUnusableError(
            f"The index in {directory} was made with the encoder {recorded.name!r} "
            f"(weights sha256 {recorded.sha256[:12]}...), but {encoder.name!r} ({encoder.sha256[:12]}...) is "
            "asked to search it; use the same encoder, or build the index again with this one."
        )
