"""The words of retrieval as types: document, block, span, passage, hit.

A character is a Unicode code point, so every span is a plain Python slice.
"""

import hashlib
import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from reprlib import repr as shortened
from typing import Any, NamedTuple, Self
from urllib.parse import quote

TITLE_CHARACTERS = 200
"""Of a title that is longer, so many are embedded and read with a passage: the text needs the room."""


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


class LocatorKind(StrEnum):
    """What a place in an original is told by."""

    PAGE = "page"
    ANCHOR = "anchor"
    LINE = "line"
    SECTION = "section"


@dataclass(frozen=True, slots=True)
class Locator:
    """Where something stands in the original that a document was read from.

    ``value``: the number of a page or a line, counted from 1; an anchor without its ``#``; or a section's heading,
    where there is nothing finer. As a string: ``page 12``, ``#anchor``, ``line 40``, ``section Heading``.

    Raises:
        ValueError: when the value is blank, or the number of a page or a line is none.
    """

    kind: LocatorKind
    value: str

    def __post_init__(self) -> None:
        if not self.value.strip():
            raise ValueError(f"The value of a {self.kind} locator is blank.")
        if self.kind in _NUMBERED and not re.fullmatch("[1-9][0-9]{0,8}", self.value):
            raise ValueError(f"A {self.kind} is numbered from 1, but got {self.value!r}.")

    @classmethod
    def page(cls, number: int) -> Self:
        """A page of the original, the first is 1."""
        return cls(LocatorKind.PAGE, str(number))

    @classmethod
    def line(cls, number: int) -> Self:
        """A line of the original, the first is 1."""
        return cls(LocatorKind.LINE, str(number))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The locator whose string this is; ValueError with a sentence when it is none."""
        if text.startswith("#"):
            return cls(LocatorKind.ANCHOR, text[1:])
        kind, _, value = text.partition(" ")
        if kind not in _SPELLED:
            raise ValueError(
                f"The locator {text!r} is none; write 'page 12', '#anchor', 'line 40' or 'section Heading'."
            )
        return cls(LocatorKind(kind), value)

    def __str__(self) -> str:
        return f"#{self.value}" if self.kind is LocatorKind.ANCHOR else f"{self.kind} {self.value}"

    @property
    def fragment(self) -> str | None:
        """What follows the ``#`` of an address that opens at the place; None where no address can say it."""
        if self.kind is LocatorKind.PAGE:
            return f"page={self.value}"
        return quote(self.value, safe=_IN_FRAGMENTS) if self.kind is LocatorKind.ANCHOR else None


def opened_at(url: str | None, locator: Locator | None) -> str | None:
    """The address that opens an original at this place; unchanged where it names one already, or none can be said."""
    fragment = None if locator is None else locator.fragment
    return f"{url}#{fragment}" if url is not None and fragment is not None and "#" not in url else url


_NUMBERED = (LocatorKind.PAGE, LocatorKind.LINE)
_SPELLED = (*_NUMBERED, LocatorKind.SECTION)
_IN_FRAGMENTS = "!$&'()*+,;=:@/?"  # what RFC 3986 allows there beside letters, digits and -._~


class BlockKind(StrEnum):
    """What a block is in its document's structure."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    ROW = "row"
    FIELD = "field"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a document that a reader takes in as one: a paragraph, a step, a row of a table.

    ``span``: its characters of the stored text, without white space at the ends. ``path``: the texts of the headings
    that it stands under, the outermost first; a heading is not in its own. ``locator``: where it begins in the
    original. A ``FIELD`` is a line ``name: value``; an ``ITEM`` has its marker where that tells the reader something.
    """

    kind: BlockKind
    span: Span
    path: tuple[str, ...] = ()
    locator: Locator | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A source text, stored whole. ``doc_id`` may hold slashes; on the wire it is ``document_id``.

    ``source``: the name of the source that it came from; None for one handed in, and where that is not known.
    ``blocks``: the structure of the text, in order; between two, before the first and after the last stands nothing
    but white space. None of them: the text is plain, and its structure is not known.

    Raises:
        ValueError: when the blocks overlap, are out of order, or leave out more than white space.
    """

    doc_id: str
    title: str
    text: str
    url: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    source: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if self.blocks:
            _check_blocks(self.text, self.blocks)

    @property
    def sha256(self) -> str:
        """Hex digest of the text's UTF-8 bytes: what a citation was checked against."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def block_at(self, position: int) -> Block | None:
        """The block that this character stands in; None between blocks and in plain text."""
        after = bisect_right(self.blocks, position, key=lambda block: block.span.start)
        block = self.blocks[after - 1] if after else None
        return block if block is not None and position < block.span.end else None


def _check_blocks(text: str, blocks: Sequence[Block]) -> None:
    end = 0
    for block in blocks:
        start = block.span.start
        if start < end:
            raise ValueError(f"The block at {start} begins before the one before it has ended, at {end}.")
        _check_gap(text, end, start)
        end = block.span.end
        if end > len(text):
            raise ValueError(f"The block at {start} ends beyond a text of {len(text)} characters.")
        if text[start].isspace() or text[end - 1].isspace():
            raise ValueError(f"The block at {start} begins or ends with white space.")
    _check_gap(text, end, len(text))


def _check_gap(text: str, start: int, end: int) -> None:
    if left_out := text[start:end].strip():
        raise ValueError(f"The blocks leave out {shortened(left_out)} between {start} and {end}.")


def heading_line(title: str, headings: Sequence[str]) -> str:
    """Title and headings on one line, the title's first ``TITLE_CHARACTERS`` characters."""
    return " > ".join([title[:TITLE_CHARACTERS], *headings] if title else headings)


@dataclass(frozen=True, slots=True)
class Passage:
    """The unit that is embedded, retrieved and cited: ``document.text[span.start:span.end] == text``.

    ``row`` is the one int64 that the document store, the vectors and the lexical index share.
    ``continuation`` is the document's text from ``span.end`` on (may be empty): read with the passage,
    not embedded (RETRO's ``[N, F]``, section 2.1), so ``text + continuation`` is one contiguous run.
    ``headings``: those that the passage stands under, the outermost first, as many as are read with it.
    ``url`` and ``source`` are its document's.
    """

    row: int
    doc_id: str
    title: str
    text: str
    span: Span
    continuation: str = ""
    headings: tuple[str, ...] = ()
    url: str | None = field(default=None, kw_only=True)
    source: str | None = field(default=None, kw_only=True)

    @property
    def heading(self) -> str:
        """What is embedded and read before the text: ``title > heading > heading``."""
        return heading_line(self.title, self.headings)

    @property
    def window(self) -> str:
        """Passage and continuation as one run; it starts at ``span.start`` of the document."""
        return self.text + self.continuation

    @property
    def window_span(self) -> Span:
        """The window's characters of the document."""
        return Span(self.span.start, self.span.end + len(self.continuation))

    def text_at(self, span: Span) -> str:
        """What stands at these characters of the document; ValueError when they are not the window's."""
        return span.shifted(-self.span.start).of(self.window)


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
