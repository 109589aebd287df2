"""The JSON of answering: the shape of each part as a type.

HTTP responses, prediction files and events all have these shapes. A ``TypedDict`` here is called like the inner
type that it is the JSON of. A field's description is what OpenAPI says of it.
"""

from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict  # pydantic asks for it below Python 3.12

from app.answering.answer_kind import AnswerKind
from app.answering.types import AbstainReason, CandidateSource

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
