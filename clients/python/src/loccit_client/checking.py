"""What a check takes and gives: an answer of any system, its quotes and its claims."""

from collections.abc import Mapping
from dataclasses import dataclass

from loccit_client.models import Attribution


@dataclass(frozen=True, slots=True)
class GivenQuote:
    """A quote that is said to stand in a document, or in any."""

    quote: str
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class GivenClaim:
    """A claim with what is said to back it: quotes, or the documents that it cites."""

    claim: str
    quotes: tuple[GivenQuote, ...] = ()
    document_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerPlace:
    """Where something stands in the answer. ``line`` and ``column``: the first is 1."""

    start: int
    end: int
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class RealSpan:
    """Real text: of its document, ``text[start:end]`` is this text."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class RealText:
    """What stands in a document, and where. ``locator``: where in the original it begins, as ``page 12``.

    ``spans``: one, or one for each part of a quote with omissions or marked changes.
    """

    document_id: str
    title: str
    url: str | None
    source: str | None
    locator: str | None
    spans: tuple[RealSpan, ...]


@dataclass(frozen=True, slots=True)
class CheckedQuote:
    """The verdict on one quote: verbatim, nearly, from_another_document, fabricated or too_short.

    ``number``: 1 is the answer's first. ``place``: None where it came in a field. ``document_ids``: of what is cited
    for it. ``folds``: what differs where it is verbatim all the same. ``likeness``: 0 to 1. ``found``: where it stands,
    or the nearest real text.
    """

    number: int
    quote: str
    form: str
    place: AnswerPlace | None
    marks: tuple[str, ...]
    document_ids: tuple[str, ...]
    verdict: str
    reason: str
    folds: tuple[str, ...]
    likeness: float | None
    found: RealText | None
    offsets_match: bool | None
    unknown_document_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """How well a claim is backed. ``quotes``: their numbers. ``support``: 0 to 1; None where it cites nothing there is.

    ``evidence``: what backs it best.
    """

    number: int
    claim: str
    place: AnswerPlace | None
    marks: tuple[str, ...]
    document_ids: tuple[str, ...]
    quotes: tuple[int, ...]
    support: float | None
    supported: bool | None
    evidence: RealText | None


@dataclass(frozen=True, slots=True)
class UnresolvedMark:
    """A mark that names no document."""

    mark: str
    place: AnswerPlace


@dataclass(frozen=True, slots=True)
class Measured:
    """How often a scorer was right on claims that it had not seen. ``accuracy``: 0 to 1."""

    accuracy: float
    auroc: float | None
    claims: int


@dataclass(frozen=True, slots=True)
class Scorer:
    """Who judged the claims. ``by_kind``: what was measured by kind of claim or corruption."""

    name: str
    sha256: str | None
    measured: Measured | None
    by_kind: Mapping[str, Measured]


@dataclass(frozen=True, slots=True)
class Searched:
    """What quotes were looked for in. ``index``: False where documents were handed in. ``complete``: all were read."""

    documents: int
    index: bool
    complete: bool


@dataclass(frozen=True, slots=True)
class Check:
    """What became of an answer's quotes and claims. ``verdicts``: how many quotes have each.

    ``scorer``: None where no claim was scored. ``generation``: of the index; None when documents were handed in.
    ``request_id``: names the request in the service's log.
    """

    quotes: tuple[CheckedQuote, ...]
    claims: tuple[CheckedClaim, ...]
    unresolved_marks: tuple[UnresolvedMark, ...]
    verdicts: Mapping[str, int]
    searched: Searched
    scorer: Scorer | None
    generation: str | None
    attribution: tuple[Attribution, ...]
    timings_ms: Mapping[str, float]
    request_id: str | None = None
