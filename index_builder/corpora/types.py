"""The words of reading a corpus as types: source, record, malformed, corpus."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from retriever.types import Document


class SourceKind(StrEnum):
    """How a corpus is stored."""

    PACKAGED = "packaged"
    JSONL = "jsonl"
    TEXT_FILES = "text-files"


@dataclass(frozen=True, slots=True)
class Source:
    """Where documents came from and on what terms: what the manifest records about a corpus.

    ``name`` never holds more of a path than its last part. ``snapshot``: which state of the texts it is.
    """

    name: str
    kind: SourceKind
    licence: str | None = None
    snapshot: str | None = None
    attribution: str | None = None


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


class Corpus(Protocol):
    """A corpus that is read as it streams by; it can be read again, with the same result."""

    @property
    def source(self) -> Source:
        """What the manifest records about this corpus."""
        ...

    def __iter__(self) -> Iterator[Record | Malformed]: ...
