"""The words of answering as types: reading, candidate, citation, decision, trace."""

import math
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from enum import StrEnum

from app.answering.answer_kind import AnswerKind
from app.answering.text.context import text_after, text_before
from retriever.types import Document, Hit, Locator, Passage, Span, opened_at


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A run of a document's characters with how well it supports an answer (higher is better)."""

    span: Span
    score: float


@dataclass(frozen=True, slots=True)
class BroadReading:
    """What a reader that has learnt more than short answers made of one hit.

    ``kinds``: how likely each kind of answer is asked for; they sum to 1. ``yes``: 0-1, that the passage says yes, if
    yes or no is asked for. ``evidence``: every sentence, step, row or line of the window, in characters of the
    *document* and in order, with how likely (0-1) it is among what answers.
    """

    kinds: Mapping[AnswerKind, float]
    yes: float
    evidence: tuple[ScoredSpan, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of one hit.

    ``answerability``: 0-1, how likely the passage answers the question.
    ``spans``: the runs of the *document* that do so, best first. ``broad``: None where the reader has learnt short
    answers alone, or did not look closely.
    """

    hit: Hit
    answerability: float
    spans: tuple[ScoredSpan, ...]
    broad: BroadReading | None = None


class CandidateSource(StrEnum):
    """Who made a candidate: the reader (extracted), the language model, or it under a quoting mask.

    ``EVIDENCE``: the reader found a sentence, step or row that answers. ``VERDICT``: it said yes or no.
    ``CLAIM``: a language model behind a server claimed it and wrote a quote, which was located.
    """

    READER = "reader"
    LM = "lm"
    CONSTRAINED = "constrained"
    EVIDENCE = "evidence"
    VERDICT = "verdict"
    CLAIM = "claim"


BROAD_SOURCES = frozenset({CandidateSource.EVIDENCE, CandidateSource.VERDICT})
"""Of candidates that say more than a few words, or yes or no."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What an adapted language model makes of an answer, whoever wrote it, after reading the best passages.

    ``logprob``: natural logarithm of the answer's probability, summed over ``tokens``. ``right``: 0-1, that it is
    the answer wanted, as it learnt to judge: not calibrated. ``null``: 0-1, that nothing it read backs the answer.
    ``pointer``: characters of the *document* that back it in the candidate's passage, with probability ``pointed``;
    None and 0 when it did not read that passage.
    """

    logprob: float
    tokens: int
    right: float
    null: float
    pointer: Span | None
    pointed: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer with the passage it was generated from: unchecked, so it cannot reach a response.

    ``logprob``: natural logarithm of the answer's probability under its source, summed over tokens.
    ``tokens``: how many tokens that sum runs over; 0 (and a sum of 0) where its source tells no probabilities.
    ``pointer``: characters of the *document* that the source pointed at, when it can point.
    ``sample``: 0 for the greedy answer of a passage, 1, 2, ... for sampled ones.
    ``opinion``: the adapted language model's, where there is one.
    ``attempt``: which of the adapted language model's attempts it came of, from 0; None for those of others.
    """

    answer: str
    passage: Passage
    source: CandidateSource
    logprob: float
    tokens: int
    pointer: Span | None = None
    sample: int = 0
    opinion: Opinion | None = None
    attempt: int | None = None

    @property
    def mean_token_probability(self) -> float | None:
        """Geometric mean of the token probabilities, 0-1: comparable between answers of different length.

        None where the source tells no probabilities (``tokens`` is 0).
        """
        return math.exp(self.logprob / self.tokens) if self.tokens else None


@dataclass(frozen=True, slots=True)
class Quote:
    """Characters of a stored document: located, so verbatim by construction, not yet scored.

    Raises:
        ValueError: when the span ends beyond the document.
    """

    document: Document
    span: Span

    def __post_init__(self) -> None:
        self.span.of(self.document.text)

    @property
    def text(self) -> str:
        """The quoted characters."""
        return self.span.of(self.document.text)


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote that stands verbatim in its document. One that does not cannot be built.

    ``before``, ``after``: the document's text on each side of the quote, about a line, to see it in its place.
    ``locator``: where the quote begins in the original; ``url`` opens there, where an address can say it.
    ``further``: a sentence that a long answer adds to those that back the short one (see ``SentenceComposer``).

    ``source``: the name of the document's source; None for a document that was handed in, or where it is not known.

    Building (and ``dataclasses.replace``) takes the document's text and checks it:

    Raises:
        ValueError: if ``document_text[span.start:span.end] != quote``.
    """

    doc_id: str
    title: str
    url: str | None
    quote: str
    span: Span
    support: float
    document_sha256: str
    document_text: InitVar[str]
    locator: Locator | None = field(default=None, kw_only=True)
    further: bool = field(default=False, kw_only=True)
    source: str | None = field(default=None, kw_only=True)
    before: str = field(init=False)
    after: str = field(init=False)

    def __post_init__(self, document_text: str) -> None:
        if document_text[self.span.start : self.span.end] != self.quote:
            raise ValueError(f"The quote does not stand at {self.span} of document {self.doc_id!r}.")
        # frozen: the two are set once, here, where the document is at hand
        object.__setattr__(self, "before", text_before(document_text, self.span))
        object.__setattr__(self, "after", text_after(document_text, self.span))

    @classmethod
    def of(cls, quote: Quote, *, support: float, further: bool = False) -> "Citation":
        """The citation of a located quote."""
        document = quote.document
        block = document.block_at(quote.span.start)
        locator = None if block is None else block.locator
        return cls(
            doc_id=document.doc_id,
            title=document.title,
            url=opened_at(document.url, locator),
            quote=quote.text,
            span=quote.span,
            support=support,
            document_sha256=document.sha256,
            document_text=document.text,
            locator=locator,
            further=further,
            source=document.source,
        )


@dataclass(frozen=True, slots=True)
class CitedCandidate:
    """A candidate whose quotes were located: what ``support`` scores and ``decide`` chooses from."""

    candidate: Candidate
    citations: tuple[Citation, ...]
    confidence: float


class AbstainReason(StrEnum):
    """Why there is no answer."""

    NO_PASSAGES = "no_passages"
    NO_CANDIDATE = "no_candidate"
    NO_QUOTE = "no_quote"
    LOW_CONFIDENCE = "low_confidence"


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another answer with its own citations, less confident than the chosen one."""

    answer: str
    citations: tuple[Citation, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class CitedAnswer:
    """An answer with the quotes that support it and how likely it is right and supported (0-1).

    ``short_answer``: what the confidence is about; ``answer`` itself, unless that was composed of sentences.
    ``passage``: what it was generated from. ``conflict``: the surest answer of another document that says something
    else, unless it is far less sure (see ``conflict_with``). ``kind``: what the question was taken to ask for.
    """

    answer: str
    short_answer: str
    citations: tuple[Citation, ...]
    confidence: float
    passage: Passage
    alternatives: tuple[Alternative, ...] = ()
    conflict: Alternative | None = None
    kind: AnswerKind = AnswerKind.SHORT


@dataclass(frozen=True, slots=True)
class Abstention:
    """No answer, why, and the nearest quotes, so that the reader can judge for themselves.

    ``kind``: what the question was taken to ask for.
    """

    reason: AbstainReason
    confidence: float
    nearest: tuple[Citation, ...] = ()
    kind: AnswerKind = AnswerKind.SHORT


Decision = CitedAnswer | Abstention


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that happened to one question. ``timings``: seconds by stage.

    ``cut_short``: the deadline passed while answers were written, so that some may be missing.
    ``documents``: those that were handed in with the question, as they were read.
    """

    question: str
    hits: tuple[Hit, ...]
    readings: tuple[Reading, ...]
    candidates: tuple[Candidate, ...]
    cited: tuple[CitedCandidate, ...]
    decision: Decision
    timings: Mapping[str, float]
    cut_short: bool = False
    documents: tuple[Document, ...] = ()
