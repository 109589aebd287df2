"""What a service takes and gives. Offsets count Unicode code points, as Python's strings do."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from loccit_client.errors import QuoteMismatchError
from loccit_client.filters import Filter


@dataclass(frozen=True, slots=True)
class Attribution:
    """The terms of a source: show them wherever its text is shown."""

    source: str
    licence: str | None
    attribution: str | None
    snapshot: str | None


@dataclass(frozen=True, slots=True)
class Document:
    """A stored document. ``sha256``: of its text in UTF-8."""

    document_id: str
    title: str
    text: str
    url: str | None
    metadata: Mapping[str, Any]
    sha256: str
    source: str | None = None
    attribution: tuple[Attribution, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """A document that was handed in as Markdown or HTML, as it was read. ``sha256``: of its text in UTF-8."""

    document_id: str
    title: str
    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote that stands word for word in a document: ``text[start:end] == quote``.

    ``support``: 0 to 1, how well it backs the answer. ``locator``: where in the original it begins, as ``page 12``.
    ``further``: a sentence that a long answer adds. ``before`` and ``after``: about a line of the text around it.
    """

    quote: str
    document_id: str
    title: str
    url: str | None
    start: int
    end: int
    support: float
    document_sha256: str
    source: str | None = None
    further: bool = False
    locator: str | None = None
    before: str = ""
    after: str = ""

    def verify(self, document: Document | ReadDocument) -> None:
        """Return when the quote stands in this document, at its place, in the text that was quoted from.

        Raises:
            QuoteMismatchError: when it does not, or when this is another document or another text of it.
        """
        if document.document_id != self.document_id:
            raise QuoteMismatchError(
                f"The quote is from the document {self.document_id!r}, not from {document.document_id!r}; verify it "
                "against that."
            )
        digest = hashlib.sha256(document.text.encode("utf-8")).hexdigest()
        if digest != self.document_sha256:
            raise QuoteMismatchError(
                f"The text of {self.document_id!r} has the sha256 {digest}, but what was quoted had "
                f"{self.document_sha256}; the document has changed since."
            )
        standing = document.text[self.start : self.end]
        if not 0 <= self.start < self.end <= len(document.text) or standing != self.quote:
            raise QuoteMismatchError(
                f"At {self.start} to {self.end} of {self.document_id!r} stands {standing[:80]!r}, not the quote "
                f"{self.quote[:80]!r}."
            )


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another answer, with its own citations."""

    answer: str
    confidence: float
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class SeenElsewhere:
    """Of ``given`` answers whose confidence was at least ``min_confidence``, ``right`` were right."""

    min_confidence: float
    given: int
    right: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the confidence was fitted on, and whether that applies to what answered.

    ``elsewhere``: what answers about as sure or surer were worth on sets of documents that the fit had not seen.
    """

    fitted_on: str
    applies: bool
    elsewhere: SeenElsewhere | None = None


@dataclass(frozen=True, slots=True)
class Models:
    """Which models answered."""

    encoder: str
    reader: str
    reader_sha256: str | None
    language_model: str | None
    language_model_sha256: str | None
    adapter_sha256: str | None
    support: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, with its place in its document. ``rank``: 1 is best. ``score``: higher is better."""

    document_id: str
    title: str
    url: str | None
    text: str
    start: int
    end: int
    score: float
    rank: int
    row: int
    source: str | None = None
    continuation: str = ""
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with its citations, or an abstention with its reason and the nearest quotes.

    ``kind``: what the question was taken to ask for: short, yes/no, list or explanation. ``documents``: only those
    handed in as Markdown or HTML, which citations' offsets count in.
    ``confidence``: 0 to 1, a probability only where ``calibration`` applies. ``conflict``: what another document says
    instead. ``hits``, ``candidates`` and ``alternatives``: only when they were asked for. ``request_id``: names the
    request in the service's log; None within a batch.
    """

    question: str
    answer: str | None
    short_answer: str | None
    abstained: bool
    abstain_reason: str | None
    kind: str
    confidence: float
    calibration: Calibration | None
    citations: tuple[Citation, ...]
    conflict: Alternative | None
    nearest: tuple[Citation, ...]
    model: Models
    generation: str | None
    attribution: tuple[Attribution, ...]
    timings_ms: Mapping[str, float]
    hits: tuple[Hit, ...] = ()
    candidates: tuple[Mapping[str, Any], ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    documents: tuple[ReadDocument, ...] = ()
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage is done: retrieved, read, generated, located, supported or composed. ``data``: what it gave."""

    name: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Passages, best first. ``mode``: hybrid, dense or lexical."""

    query: str
    mode: str
    hits: tuple[Hit, ...]
    generation: str | None
    attribution: tuple[Attribution, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where documents of an index came from."""

    name: str
    documents: int
    licence: str | None = None
    attribution: str | None = None
    snapshot: str | None = None


@dataclass(frozen=True, slots=True)
class Index:
    """The index that answers. ``created_at``: ISO 8601, UTC. ``counts``: of documents, passages and more.

    ``fields``: those that filters may name, with how many documents have each.
    """

    generation: str
    created_at: str
    loccit_version: str
    format_version: int
    counts: Mapping[str, Any]
    encoder: Mapping[str, Any]
    passages: Mapping[str, Any]
    vectors: Mapping[str, Any]
    sources: tuple[Source, ...]
    fields: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong on the server (RFC 9457). ``detail``: one sentence."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str | None = None


Format = Literal["text", "markdown", "html"]


@dataclass(frozen=True, slots=True)
class GivenDocument:
    """A text to answer from or to check against, in place of the index."""

    text: str
    title: str = ""
    document_id: str | None = None
    url: str | None = None
    format: Format = "text"


Include = Literal["hits", "candidates", "alternatives"]
Length = Literal["auto", "short", "long"]
Mode = Literal["hybrid", "dense", "lexical"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question of several, and how to answer it; what is None is as the server is set.

    ``filter``: answer only from documents of the index that have these values of these fields.
    """

    question: str
    top_k: int | None = None
    min_confidence: float | None = None
    length: Length | None = None
    include: tuple[Include, ...] = field(default=())
    filter: Filter | None = None
