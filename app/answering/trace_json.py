"""The JSON of answering: the shape of each part as a type, and the one way that a part becomes JSON.

HTTP responses, prediction files and events all have these shapes. A ``TypedDict`` here is called like the inner
type that it is the JSON of. A field's description is what OpenAPI says of it.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NotRequired, assert_never

from pydantic import Field
from typing_extensions import TypedDict  # pydantic asks for it below Python 3.12

from app.answering import events, types
from app.answering.answer_kind import AnswerKind
from app.answering.types import AbstainReason, CandidateSource
from common.errors import LoccitError
from retriever import types as retrieval
from retriever.types import Span

SCHEMA = 1

Source = Annotated[
    str | None,
    Field(
        description="Name of the document's source, whose terms stand in attribution; null for a document that was "
        "handed in, or in an index of an earlier version that was made of several sources."
    ),
]


class Place(TypedDict):
    """Characters (Unicode code points) of a document, from ``start`` up to ``end``."""

    start: Annotated[int, Field(ge=0, description="In Unicode code points, not in UTF-16 units.")]
    end: Annotated[int, Field(ge=1, description="The place ends before it.")]


class ScoredPlace(Place):
    """Characters of a document with how well they support an answer."""

    score: Annotated[float, Field(description="Higher is better.")]


class PassagePlace(TypedDict):
    """A passage, named by its place in its document."""

    row: int
    document_id: str
    source: Source
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=1)]


class Hit(PassagePlace):
    """A retrieved passage with its place in its document."""

    title: str
    url: str | None
    text: str
    continuation: Annotated[str, Field(description="What follows the passage in its document: read with it.")]
    headings: NotRequired[
        Annotated[
            list[str],
            Field(
                description="Those that the passage stands under, outermost first: read with it. Left out: none."
            ),
        ]
    ]
    score: Annotated[float, Field(description="Higher is better; comparable within one response only.")]
    rank: Annotated[int, Field(ge=1, description="1 is best.")]


class BroadReading(TypedDict):
    """What a reader that has learnt more than short answers made of one hit."""

    kinds: Annotated[
        dict[AnswerKind, float],
        Field(description="How likely each kind of answer is asked for; they sum to 1."),
    ]
    yes: Annotated[
        float,
        Field(ge=0, le=1, description="How likely the passage says yes, if yes or no is asked for."),
    ]
    evidence: Annotated[
        list[ScoredPlace],
        Field(
            description="Every sentence, step, row or line of the window, with how likely (0-1) it "
            "is among what answers."
        ),
    ]


class Reading(TypedDict):
    """What the reader made of one hit."""

    row: Annotated[int, Field(description="Of the hit's passage.")]
    answerability: Annotated[
        float, Field(ge=0, le=1, description="How likely the passage answers the question.")
    ]
    spans: Annotated[list[ScoredPlace], Field(description="What answers it, best first.")]
    broad: NotRequired[
        Annotated[
            BroadReading,
            Field(
                description="Left out where the reader learnt short answers alone, or did not look closely."
            ),
        ]
    ]


class Opinion(TypedDict):
    """What the adapted language model makes of an answer after reading the best passages."""

    logprob: float
    tokens: int
    right: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="How likely it is that the answer is the one wanted, as it learnt to judge; not calibrated.",
        ),
    ]
    null: Annotated[float, Field(ge=0, le=1, description="That nothing it read backs the answer.")]
    pointer: Annotated[Place | None, Field(description="Where it points in the candidate's passage.")]
    pointed: Annotated[float, Field(ge=0, le=1)]


class Candidate(TypedDict):
    """An answer before any check, with the passage it was written from. Nothing vouches for it."""

    answer: str
    source: CandidateSource
    logprob: float
    tokens: int
    sample: int
    pointer: Place | None
    opinion: Annotated[Opinion | None, Field(description="null without an adapted language model.")]
    passage: PassagePlace


class RecordedCandidate(Candidate):
    """A candidate as prediction files keep it."""

    attempt: Annotated[
        int | None,
        Field(
            description="Which attempt of the adapted language model it came of: a run with fewer lacks it."
        ),
    ]


class Citation(TypedDict):
    """A quote that stands word for word in a document: ``text[start:end] == quote``."""

    quote: str
    document_id: str
    title: str
    url: str | None
    source: Source
    start: Annotated[int, Field(ge=0, description="In Unicode code points, not in UTF-16 units.")]
    end: Annotated[int, Field(ge=1, description="The quote ends before it.")]
    support: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="How well title and quote back the short answer; of a further sentence, how near it is to "
            "the question.",
        ),
    ]
    further: Annotated[
        bool,
        Field(description="Whether a long answer adds this sentence to those that back the short one."),
    ]
    document_sha256: Annotated[
        str, Field(description="Of the document's text in UTF-8, as it was when quoted.")
    ]
    locator: Annotated[
        str | None,
        Field(
            description="Where in the original it begins: `page 12`, `#anchor`, `line 40` or `section Heading`; null "
            "where that is not known. For a page or an anchor, the url opens there."
        ),
    ]
    before: Annotated[str, Field(description="The document's text up to the quote, about a line of it.")]
    after: Annotated[
        str, Field(description="The document's text from the quote's end on, about a line of it.")
    ]


class Quote(Place):
    """Characters of a document that were located there and are not scored yet."""

    document_id: str
    quote: str


class QuotedCandidate(TypedDict):
    """A candidate with the quote that was located for it."""

    candidate: Candidate
    quote: Quote


class CitedCandidate(TypedDict):
    """A candidate with its citations, and how sure the service is of it."""

    candidate: RecordedCandidate
    citations: list[Citation]
    confidence: Annotated[float, Field(ge=0, le=1)]


class Alternative(TypedDict):
    """Another answer, with its own citations."""

    answer: str
    confidence: Annotated[float, Field(ge=0, le=1)]
    citations: list[Citation]


class Decision(TypedDict):
    """An answer with its citations and alternatives, or an abstention with its reason."""

    answer: str | None
    short_answer: str | None
    abstained: bool
    abstain_reason: AbstainReason | None
    kind: Annotated[AnswerKind, Field(description="What the question was taken to ask for.")]
    confidence: float
    citations: list[Citation]
    alternatives: list[Alternative]
    conflict: Alternative | None
    nearest: list[Citation]


class Trace(TypedDict):
    """Everything that happened to one question; ``schema`` names the version of this form."""

    schema: int
    question: str
    hits: list[Hit]
    readings: list[Reading]
    candidates: list[RecordedCandidate]
    cited: list[CitedCandidate]
    decision: Decision
    timings_ms: dict[str, float]


class Document(TypedDict):
    """A stored document with the digest that citations of it carry."""

    document_id: str
    title: str
    text: str
    url: str | None
    source: Source
    metadata: dict[str, Any]
    sha256: Annotated[str, Field(description="Of the text in UTF-8.")]


class Retrieved(TypedDict):
    """The hits are in."""

    event: Literal["retrieved"]
    hits: list[Hit]


class Read(TypedDict):
    """The hits have been read."""

    event: Literal["read"]
    readings: list[Reading]


class Generated(TypedDict):
    """The candidates are written, none checked yet."""

    event: Literal["generated"]
    candidates: list[Candidate]


class Located(TypedDict):
    """The candidates whose quotes were found in their documents."""

    event: Literal["located"]
    quoted: list[QuotedCandidate]


class Supported(TypedDict):
    """The quotes are scored."""

    event: Literal["supported"]
    cited: list[CitedCandidate]


class Composed(TypedDict):
    """What was decided where a long answer was asked for: one in several sentences, or an abstention."""

    event: Literal["composed"]
    decision: Decision


class Decided(TypedDict):
    """The end: everything that happened, the decision included."""

    event: Literal["decided"]
    trace: Trace


Event = Retrieved | Read | Generated | Located | Supported | Composed | Decided
"""``event`` tells them apart."""


def trace_as_json(trace: types.Trace) -> Trace:
    """The whole trace."""
    return {
        "schema": SCHEMA,
        "question": trace.question,
        "hits": [hit_as_json(hit) for hit in trace.hits],
        "readings": [_reading(reading) for reading in trace.readings],
        "candidates": [_recorded(candidate) for candidate in trace.candidates],
        "cited": [_cited(cited) for cited in trace.cited],
        "decision": decision_as_json(trace.decision),
        "timings_ms": timings_as_json(trace),
    }


def event_as_json(event: events.Event) -> Event:
    """An event with its name."""
    match event:
        case events.Retrieved(hits):
            return {"event": "retrieved", "hits": [hit_as_json(hit) for hit in hits]}
        case events.Read(readings):
            return {"event": "read", "readings": [_reading(reading) for reading in readings]}
        case events.Generated(candidates):
            return {"event": "generated", "candidates": [candidate_as_json(each) for each in candidates]}
        case events.Located(quoted):
            return {"event": "located", "quoted": [_quoted(*pair) for pair in quoted]}
        case events.Supported(cited):
            return {"event": "supported", "cited": [_cited(candidate) for candidate in cited]}
        case events.Composed(decision):
            return {"event": "composed", "decision": decision_as_json(decision)}
        case events.Decided(trace):
            return {"event": "decided", "trace": trace_as_json(trace)}
        case _:
            assert_never(event)


def hit_as_json(hit: retrieval.Hit) -> Hit:
    """A hit with its passage's text and place."""
    place = _passage_place(hit.passage)
    shown: Hit = {
        "row": place["row"],
        "document_id": place["document_id"],
        "source": place["source"],
        "start": place["start"],
        "end": place["end"],
        "title": hit.passage.title,
        "url": hit.passage.url,
        "text": hit.passage.text,
        "continuation": hit.passage.continuation,
        "score": hit.score,
        "rank": hit.rank,
    }
    if hit.passage.headings:
        shown["headings"] = list(hit.passage.headings)
    return shown


def candidate_as_json(candidate: types.Candidate) -> Candidate:
    """A candidate with the place of the passage it was generated from. It is unchecked."""
    return {
        "answer": candidate.answer,
        "source": candidate.source,
        "logprob": candidate.logprob,
        "tokens": candidate.tokens,
        "sample": candidate.sample,
        "pointer": None if candidate.pointer is None else _place(candidate.pointer),
        "opinion": None if candidate.opinion is None else _opinion(candidate.opinion),
        "passage": _passage_place(candidate.passage),
    }


def citation_as_json(citation: types.Citation) -> Citation:
    """A citation: ``start`` and ``end`` are characters of the stored document."""
    return {
        "quote": citation.quote,
        "document_id": citation.doc_id,
        "title": citation.title,
        "url": citation.url,
        "source": citation.source,
        **_place(citation.span),
        "support": citation.support,
        "further": citation.further,
        "document_sha256": citation.document_sha256,
        "locator": None if citation.locator is None else str(citation.locator),
        "before": citation.before,
        "after": citation.after,
    }


def document_as_json(document: retrieval.Document) -> Document:
    """A stored document with its digest."""
    return {
        "document_id": document.doc_id,
        "title": document.title,
        "text": document.text,
        "url": document.url,
        "source": document.source,
        "metadata": dict(document.metadata),
        "sha256": document.sha256,
    }


def decision_as_json(decision: types.Decision) -> Decision:
    """An answer with its citations and alternatives, or an abstention with its reason."""
    if isinstance(decision, types.Abstention):
        return {
            "answer": None,
            "short_answer": None,
            "abstained": True,
            "abstain_reason": decision.reason,
            "kind": decision.kind,
            "confidence": decision.confidence,
            "citations": [],
            "alternatives": [],
            "conflict": None,
            "nearest": [citation_as_json(citation) for citation in decision.nearest],
        }
    return {
        "answer": decision.answer,
        "short_answer": decision.short_answer,
        "abstained": False,
        "abstain_reason": None,
        "kind": decision.kind,
        "confidence": decision.confidence,
        "citations": [citation_as_json(citation) for citation in decision.citations],
        "alternatives": [_alternative(other) for other in decision.alternatives],
        "conflict": None if decision.conflict is None else _alternative(decision.conflict),
        "nearest": [],
    }


def timings_as_json(trace: types.Trace) -> dict[str, float]:
    """Milliseconds by stage, and their sum as ``total``."""
    rounded = {stage: round(1000 * seconds, 2) for stage, seconds in trace.timings.items()}
    return {**rounded, "total": round(1000 * sum(trace.timings.values()), 2)}


def _alternative(other: types.Alternative) -> Alternative:
    return {
        "answer": other.answer,
        "confidence": other.confidence,
        "citations": [citation_as_json(citation) for citation in other.citations],
    }


def _reading(reading: types.Reading) -> Reading:
    shown: Reading = {
        "row": reading.hit.passage.row,
        "answerability": reading.answerability,
        "spans": _scored(reading.spans),
    }
    if reading.broad is not None:
        broad = reading.broad
        shown["broad"] = {
            "kinds": dict(broad.kinds),
            "yes": broad.yes,
            "evidence": _scored(broad.evidence),
        }
    return shown


def _scored(spans: Sequence[types.ScoredSpan]) -> list[ScoredPlace]:
    return [{**_place(scored.span), "score": scored.score} for scored in spans]


def _recorded(candidate: types.Candidate) -> RecordedCandidate:
    return {**candidate_as_json(candidate), "attempt": candidate.attempt}


def _quoted(candidate: types.Candidate, quote: types.Quote) -> QuotedCandidate:
    return {
        "candidate": candidate_as_json(candidate),
        "quote": {**_place(quote.span), "document_id": quote.document.doc_id, "quote": quote.text},
    }


def _cited(cited: types.CitedCandidate) -> CitedCandidate:
    return {
        "candidate": _recorded(cited.candidate),
        "citations": [citation_as_json(citation) for citation in cited.citations],
        "confidence": cited.confidence,
    }


def _opinion(opinion: types.Opinion) -> Opinion:
    return {
        "logprob": opinion.logprob,
        "tokens": opinion.tokens,
        "right": opinion.right,
        "null": opinion.null,
        "pointer": None if opinion.pointer is None else _place(opinion.pointer),
        "pointed": opinion.pointed,
    }


def _passage_place(passage: retrieval.Passage) -> PassagePlace:
    return {
        "row": passage.row,
        "document_id": passage.doc_id,
        "source": passage.source,
        **_place(passage.span),
    }


def _place(span: Span) -> Place:
    return {"start": span.start, "end": span.end}


def hits_of(trace: Trace) -> list[retrieval.Hit]:
    """The hits of a trace's JSON, best first."""
    return [
        retrieval.Hit(
            retrieval.Passage(
                row=hit["row"],
                doc_id=hit["document_id"],
                title=hit["title"],
                text=hit["text"],
                span=Span(hit["start"], hit["end"]),
                continuation=hit["continuation"],
                headings=tuple(hit.get("headings", ())),
                url=hit["url"],
                source=hit["source"],
            ),
            score=hit["score"],
            rank=hit["rank"],
        )
        for hit in trace["hits"]
    ]


def readings_of(trace: Trace) -> list[types.Reading]:
    """The readings of a trace's JSON, in their order."""
    hits = {hit.passage.row: hit for hit in hits_of(trace)}
    return [
        types.Reading(
            hits[reading["row"]],
            reading["answerability"],
            _scored_of(reading["spans"]),
            _broad_of(reading["broad"]) if "broad" in reading else None,
        )
        for reading in trace["readings"]
    ]


def _broad_of(broad: BroadReading) -> types.BroadReading:
    kinds = {AnswerKind(kind): probability for kind, probability in broad["kinds"].items()}
    return types.BroadReading(kinds, broad["yes"], _scored_of(broad["evidence"]))


def _scored_of(places: Sequence[ScoredPlace]) -> tuple[types.ScoredSpan, ...]:
    return tuple(types.ScoredSpan(_span_of(place), place["score"]) for place in places)


def candidates_of(trace: Trace) -> list[types.Candidate]:
    """The candidates of a trace's JSON, in their order."""
    passages = {hit.passage.row: hit.passage for hit in hits_of(trace)}
    return [candidate_of(candidate, passages) for candidate in trace["candidates"]]


def candidate_of(candidate: RecordedCandidate, passages: Mapping[int, retrieval.Passage]) -> types.Candidate:
    """The candidate that this is the JSON of. ``passages``: those of its trace, by row."""
    pointer, opinion = candidate["pointer"], candidate["opinion"]
    return types.Candidate(
        answer=candidate["answer"],
        passage=passages[candidate["passage"]["row"]],
        source=CandidateSource(candidate["source"]),
        logprob=candidate["logprob"],
        tokens=candidate["tokens"],
        pointer=None if pointer is None else _span_of(pointer),
        sample=candidate["sample"],
        opinion=None if opinion is None else _opinion_of(opinion),
        attempt=candidate["attempt"],
    )


def fill_in(trace: dict[str, Any]) -> None:
    """Give a trace that an earlier version wrote what it lacks, so that it is a ``Trace``.

    One thing cannot be filled in: an opinion that does not say whether the answer is right is refused where it is
    read (see ``candidates_of``).
    """
    decision = trace["decision"]
    decision.setdefault("short_answer", decision["answer"])
    decision.setdefault("conflict", None)
    decision.setdefault("kind", AnswerKind.SHORT)
    citing = [decision, *decision["alternatives"], *trace["cited"]]
    for citation in [*decision["nearest"], *(each for part in citing for each in part["citations"])]:
        citation.setdefault("further", False)
        citation.setdefault("source", None)
    for hit in trace["hits"]:
        hit.setdefault("url", None)
        hit.setdefault("source", None)
    for candidate in [*trace["candidates"], *(cited["candidate"] for cited in trace["cited"])]:
        candidate["passage"].setdefault("source", None)
        candidate.setdefault("opinion", None)
        candidate.setdefault("attempt", None)


def _opinion_of(opinion: Opinion) -> types.Opinion:
    pointer = opinion["pointer"]
    if "right" not in opinion:
        raise LoccitError(
            "The run is of a version whose language model did not judge answers; predict it again."
        )
    return types.Opinion(
        logprob=opinion["logprob"],
        tokens=opinion["tokens"],
        right=opinion["right"],
        null=opinion["null"],
        pointer=None if pointer is None else _span_of(pointer),
        pointed=opinion["pointed"],
    )


def _span_of(place: Place) -> Span:
    return Span(place["start"], place["end"])
