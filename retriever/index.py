"""A passage index: document store, vectors and lexical index, tied by the passage row."""

from dataclasses import dataclass, field
from pathlib import Path

from common.errors import IndexUnusableError
from retriever.encoder import Encoder
from retriever.fields import DocumentFields
from retriever.generations import current_generation, hold_current
from retriever.holds import Hold
from retriever.lexical import LexicalIndex
from retriever.manifest import EncoderIdentity, Manifest
from retriever.store import DocumentStore
from retriever.text.passages import PassageSettings
from retriever.vectors.engines import load_vectors
from retriever.vectors.protocol import VectorIndex

STORE_FILE = "documents.sqlite"
VECTORS_FILE = "vectors.faiss"
LEXICAL_FOLDER = "lexical"


@dataclass(frozen=True, slots=True)
class PassageIndex:
    """The three parts of an index and how its documents were split.

    ``generation`` and ``manifest`` are None for one in memory, and so is ``hold``: what keeps the generation on disk as
    long as the index is in use. ``fields``: what its documents can be filtered by.
    """

    store: DocumentStore
    vectors: VectorIndex
    lexical: LexicalIndex
    settings: PassageSettings
    generation: str | None = None
    manifest: Manifest | None = None
    hold: Hold | None = None
    fields: DocumentFields = field(init=False, compare=False)

    def __post_init__(self) -> None:
        sources = () if self.manifest is None else self.manifest.sources
        object.__setattr__(self, "fields", DocumentFields(self.store, sources))


def read_manifest(directory: Path) -> Manifest:
    """What the current index of this folder says of itself; IndexUnusableError when it cannot be read."""
    return Manifest.load(current_generation(directory))


def read_fields(directory: Path) -> DocumentFields:
    """What the documents of the current index of this folder can be filtered by.

    Raises:
        IndexUnusableError: when it is missing, damaged or of another format version.
    """
    hold = hold_current(directory)
    manifest = Manifest.load(hold.folder)
    manifest.check_file(hold.folder, STORE_FILE)
    store = DocumentStore.open(hold.folder / STORE_FILE, source=manifest.only_source)
    return DocumentFields(store, manifest.sources)


def open_index(directory: Path, encoder: Encoder) -> PassageIndex:
    """The current index of this folder, every file checked against its recorded digest, read-only.

    Raises:
        IndexUnusableError: when it is missing, damaged, of another format version, or made with another
            encoder than this one.
    """
    hold = hold_current(directory)
    folder = hold.folder
    manifest = Manifest.load(folder)
    require_encoder(manifest.encoder, encoder, directory)
    manifest.check_files(folder)
    return PassageIndex(
        store=DocumentStore.open(folder / STORE_FILE, source=manifest.only_source),
        vectors=open_vectors(folder, manifest),
        lexical=LexicalIndex.open(folder / LEXICAL_FOLDER),
        settings=PassageSettings(**manifest.passages.model_dump()),
        generation=folder.name,
        manifest=manifest,
        hold=hold,
    )


def open_vectors(folder: Path, manifest: Manifest) -> VectorIndex:
    """The vectors of this generation, by the engine that its manifest records.

    Raises:
        IndexUnusableError: when the engine is not known here, or the file is damaged.
    """
    return load_vectors(folder / VECTORS_FILE, manifest.vectors.engine, manifest.vectors.arguments)


def require_encoder(recorded: EncoderIdentity, encoder: Encoder, directory: Path) -> None:
    """IndexUnusableError unless the encoder is the one that this index was made with."""
    if (recorded.sha256, recorded.dimension) != (encoder.sha256, encoder.dimension):
        raise IndexUnusableError(
            f"The index in {directory} was made with the encoder {recorded.name!r} "
            f"(weights sha256 {recorded.sha256[:12]}...), but {encoder.name!r} ({encoder.sha256[:12]}...) is "
            "asked to search it; use the same encoder, or build the index again with this one."
        )
