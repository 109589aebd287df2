"""What an index says of itself: how it was made, from what, and the digest of every file."""

import hashlib
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from common.errors import IndexUnusableError
from common.files import whole_file
from common.packaged import sha256_of
from retriever.encoder import Encoder
from retriever.vectors.protocol import Argument, VectorIndex

FORMAT_VERSION = 3
_READABLE_VERSIONS = (1, 2, 3)  # version 1 has no blocks: its documents are plain text
_SEALED_SINCE = 3
MANIFEST_FILE = "manifest.json"
SEAL_FILE = "manifest.sha256"
"""The manifest's own digest, as ``sha256sum --check`` reads it."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EncoderIdentity(_Frozen):
    """Which encoder made the vectors: queries must come from the same."""

    name: str
    sha256: str
    precision: str
    dimension: int

    @classmethod
    def of(cls, encoder: Encoder) -> Self:
        """The identity of this encoder."""
        return cls(
            name=encoder.name,
            sha256=encoder.sha256,
            precision=encoder.precision,
            dimension=encoder.dimension,
        )


class SourceRecord(_Frozen):
    """Where documents came from and on what terms."""

    name: str
    kind: str
    licence: str | None
    snapshot: str | None
    attribution: str | None
    documents: int
    malformed: int
    passed_over: dict[str, int] = {}


class PassageRecord(_Frozen):
    """How documents were split."""

    words: int
    continuation_words: int


class VectorsRecord(_Frozen):
    """Which engine holds the vectors.

    ``engine`` is its name in the table of engines. ``arguments`` are its own, beside the dimension.
    """

    engine: str
    arguments: dict[str, Argument] = {}

    @classmethod
    def of(cls, vectors: VectorIndex) -> Self:
        """The record of these vectors."""
        return cls(engine=vectors.name, arguments=dict(vectors.arguments))


class Counts(_Frozen):
    """How much the index holds."""

    documents: int
    passages: int


class FileRecord(_Frozen):
    """One file of the generation."""

    bytes: int
    sha256: str


class Manifest(_Frozen):
    """The generation's ``manifest.json``.

    Entries with a default are optional, since older indexes do not record them: such an index is flat.
    Dump a manifest with ``exclude_unset=True``, so that what is kept of such an index stays as it was.
    """

    format_version: int
    created_at: str
    loccit_version: str
    encoder: EncoderIdentity
    passages: PassageRecord
    vectors: VectorsRecord = VectorsRecord(engine="flat")
    counts: Counts
    sources: tuple[SourceRecord, ...]
    files: dict[str, FileRecord]

    @property
    def only_source(self) -> str | None:
        """The name of the one source that all documents came from; None where there are several."""
        return self.sources[0].name if len(self.sources) == 1 else None

    def save(self, folder: Path) -> None:
        """Write it and its digest into the generation's folder, on disk when this returns."""
        content = (self.model_dump_json(indent=2) + "\n").encode()
        with whole_file(folder / MANIFEST_FILE) as path:
            path.write_bytes(content)
        with whole_file(folder / SEAL_FILE) as path:
            path.write_bytes(_seal(content))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The manifest of a generation.

        Raises:
            IndexUnusableError: when it is missing, damaged, or of another format version.
        """
        path = folder / MANIFEST_FILE
        try:
            content = path.read_bytes()
            version = _Version.model_validate_json(content).format_version
            if version in _READABLE_VERSIONS:
                _check_seal(folder, content, required=version >= _SEALED_SINCE)
                return cls.model_validate_json(content)
        except OSError as error:
            raise _unreadable(Path(error.filename or path), error) from error
        except ValidationError as error:
            raise IndexUnusableError(
                f"{path} is not a manifest that Loccit wrote: the index is damaged; build it again."
            ) from error
        if version > FORMAT_VERSION:
            raise IndexUnusableError(
                f"The index in {folder} has format version {version}, but this Loccit reads version "
                f"{FORMAT_VERSION} and older; upgrade with `pip install --upgrade loccit`."
            )
        raise IndexUnusableError(
            f"The index in {folder} has the old format version {version}; build it again from the same "
            f"sources: `loccit index build {_source_names(content)} --out {folder.parent.parent}`."
        )

    def check_files(self, folder: Path) -> None:
        """Compare every file's digest with what was recorded.

        Raises:
            IndexUnusableError: naming the first file that is missing or differs.
        """
        for name in self.files:
            self.check_file(folder, name)

    def check_file(self, folder: Path, name: str) -> None:
        """Compare the digest of this file alone; raises as ``check_files`` does."""
        path = folder / name
        try:
            _check_file(path, self.files.get(name))
        except OSError as error:
            raise _unreadable(path, error) from error


def _seal(content: bytes) -> bytes:
    return f"{hashlib.sha256(content).hexdigest()}  {MANIFEST_FILE}\n".encode()


def _check_seal(folder: Path, content: bytes, *, required: bool) -> None:
    """Compare the manifest's content with its digest; an index of an earlier format has none."""
    path = folder / SEAL_FILE
    if not path.exists() and not required:
        return
    if path.read_bytes() != _seal(content):
        raise IndexUnusableError(
            f"{folder / MANIFEST_FILE} is not the file that was built (its sha256 differs): the index is damaged; "
            "build it again."
        )


def _check_file(path: Path, recorded: FileRecord | None) -> None:
    size = path.stat().st_size
    if recorded is None or size != recorded.bytes or sha256_of(path) != recorded.sha256:
        raise IndexUnusableError(
            f"{path} is not the file that was built (its sha256 differs): the index is damaged; build it again."
        )


def _unreadable(path: Path, error: OSError) -> IndexUnusableError:
    if isinstance(error, FileNotFoundError):
        return IndexUnusableError(f"{path} is missing: the index is damaged; build it again.")
    if isinstance(error, PermissionError):
        return IndexUnusableError(
            f"{path} may not be read by this user; build the index again, or let the user read the index's folder."
        )
    return IndexUnusableError(
        f"{path} cannot be read ({error.strerror}): the index is damaged; build it again."
    )


class _Version(BaseModel):
    format_version: int


def _source_names(content: bytes) -> str:
    class Named(BaseModel):
        name: str

    class Sources(BaseModel):
        sources: list[Named] = []

    try:
        names = [source.name for source in Sources.model_validate_json(content).sources]
    except ValidationError:
        names = []
    return " ".join(names) or "SOURCE..."
