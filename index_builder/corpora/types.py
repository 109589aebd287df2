"""The words of reading a corpus as types: source, record, malformed, corpus."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from retriever.types import Document


class SourceKind(StrEnum):
    """How a corpus is stored."""

    PACKAGED = "packaged"
    JSONL = "jsonl"
    TEXT_FILES = "text-files"
    PARQUET = "parquet"
    MEDIAWIKI = "mediawiki"


@dataclass(frozen=True, slots=True)
class Source:
    """Where documents came from and on what terms: what the manifest records about a corpus.

    ``name`` never holds more of a path than its last part. ``snapshot`` says which state of the texts it is.
    ``base_url``: where the originals are published; a document's id follows it in the document's address.
    ``passed_over`` counts the files of a folder that are not read, by suffix or reason.
    """

    name: str
    kind: SourceKind
    licence: str | None = None
    snapshot: str | None = None
    attribution: str | None = None
    base_url: str | None = None
    passed_over: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """A document and where it stands: ``name:line``, the name relative to the corpus."""

    document: Document
    location: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something that cannot be a document: where it stands, and a sentence on what would be right."""

    location: str
    problem: str


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something in a file that is no document on purpose, such as a redirect; ``kind`` is what it is counted as."""

    kind: str


Item = Record | Malformed | PassedOver
"""What reading a corpus gives."""


class FileReader(Protocol):
    """Reads the files of one format."""

    def __call__(self, path: Path, name: str, /) -> Iterator[Item]:
        """The documents of this file; ``name`` is what messages call it, and the id where it is one document."""
        ...


class Corpus(Protocol):
    """A corpus that is read as it streams by; it can be read again, with the same result."""

    @property
    def source(self) -> Source:
        """What the manifest records about this corpus."""
        ...

    @property
    def ids(self) -> Collection[str]:
        """The ids of its documents as far as they are known without reading it."""
        ...

    @property
    def folders(self) -> Sequence[Path]:
        """The folders that it may be a part of, the nearest first: those that a file of one document stands in, or a
        folder and those that it stands in; else none.
        """
        ...

    def __iter__(self) -> Iterator[Item]: ...
