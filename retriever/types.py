"""The words of retrieval as types: document, span, passage, hit.

A character is a Unicode code point, so every span is a plain Python slice.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Half-open characters ``[start, end)`` of a named text.

    Raises:
        ValueError: unless ``0 <= start < end``.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ValueError(f"A span needs 0 <= start < end, but got [{self.start}, {self.end}).")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        """The characters of ``text`` that the span covers; ValueError when it ends beyond the text."""
        if self.end > len(text):
            raise ValueError(f"Span [{self.start}, {self.end}) ends beyond a text of {len(text)} characters.")
        return text[self.start : self.end]

    def touches(self, other: "Span") -> bool:
        """Whether the two share a character."""
        return self.start < other.end and other.start < self.end

    def shifted(self, offset: int) -> "Span":
        """The same span, ``offset`` characters further on (a passage's span in its document)."""
        return Span(self.start + offset, self.end + offset)


@dataclass(frozen=True, slots=True)
class Document:
    """A source text, stored whole. ``doc_id`` may hold slashes; on the wire it is ``document_id``.

    ``source``: the name of the source that it came from; None for one handed in, and where that is not known.
    """

    doc_id: str
    title: str
    text: str
    url: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    source: str | None = field(default=None, kw_only=True)

    @property
    def sha256(self) -> str:
        """Hex digest of the text's UTF-8 bytes: what a citation was checked against."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit that is embedded, retrieved and cited: ``document.text[span.start:span.end] == text``.

    ``row`` is the one int64 that the document store, the vectors and the lexical index share.
    ``continuation`` is the document's text from ``span.end`` on (may be empty): read with the passage,
    not embedded (RETRO's ``[N, F]``, section 2.1), so ``text + continuation`` is one contiguous run.
    ``url`` and ``source`` are its document's.
    """

    row: int
    doc_id: str
    title: str
    text: str
    span: Span
    continuation: str = ""
    url: str | None = field(default=None, kw_only=True)
    source: str | None = field(default=None, kw_only=True)

    @property
    def window(self) -> str:
        """Passage and continuation as one run; it starts at ``span.start`` of the document."""
        return self.text + self.continuation


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage. ``score``: higher is better. ``rank``: 1 is best."""

    passage: Passage
    score: float
    rank: int


class RetrievalMode(StrEnum):
    """Which of the two searches finds passages."""

    HYBRID = "hybrid"
    DENSE = "dense"
    LEXICAL = "lexical"


class ScoredRow(NamedTuple):
    """A passage's row with a score: what one search returns before rows become passages."""

    row: int
    score: float
