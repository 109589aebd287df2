"""What the tools take and give: no more than a model needs to answer and to cite."""

from typing import Annotated

from pydantic import BaseModel, Field

from app.answering.answer_kind import AnswerKind
from app.service.check import RealSpan
from quote_check.check import Verdict
from quote_check.folding import Fold

Offset = Annotated[int, Field(ge=0, description="In Unicode code points of the document's text.")]
Url = Annotated[str | None, Field(description="Where the original is; null when that is not known.")]
Place = Annotated[
    str | None, Field(description="Where in the original: a page, a line, an anchor or a section.")
]
Terms = Annotated[
    list[str],
    Field(description="Licence and attribution of the sources: repeat them where you show their text."),
]


class Quote(BaseModel):
    """Words that stand verbatim in a document: its text from start up to end is the quote."""

    quote: str
    document_id: str
    title: str
    url: Url
    place: Place
    start: Offset
    end: Offset
    support: float = Field(ge=0, le=1, description="How well the quote backs the answer.")


class OtherAnswer(BaseModel):
    """What another document says instead."""

    answer: str
    confidence: float
    quotes: list[Quote]


class Answered(BaseModel):
    """An answer with the quotes that back it, or an abstention."""

    answer: str | None = Field(description="null when abstained.")
    short_answer: str | None = Field(
        description="What the confidence is about: the answer in a few words, where there are such."
    )
    kind: AnswerKind = Field(description="What the question was taken to ask for.")
    abstained: bool
    why_abstained: str | None
    confidence: float = Field(
        ge=0, le=1, description="How sure the answer is, below some threshold it abstains."
    )
    confidence_is_a_probability: bool = Field(
        description="false: the confidence only orders answers, so do not call it a percentage."
    )
    quotes: list[Quote] = Field(description="What backs the answer, word for word.")
    other_answer: OtherAnswer | None = Field(
        description="A contradicting answer of another document: tell both."
    )
    nearest_quotes: list[Quote] = Field(
        description="When abstained: the nearest quotes. They do not answer the question."
    )
    terms: Terms


class Passage(BaseModel):
    """A passage as it stands in its document."""

    text: str
    headings: list[str] = Field(description="Those that it stands under, outermost first.")
    document_id: str
    title: str
    url: Url
    start: Offset
    end: Offset
    score: float = Field(description="Higher is better; comparable within one search only.")


class Found(BaseModel):
    """Passages, best first."""

    passages: list[Passage]
    terms: Terms


class DocumentText(BaseModel):
    """A part of a stored document."""

    document_id: str
    title: str
    url: Url
    text: str = Field(description="The document's text from start up to end.")
    start: Offset
    end: Offset
    characters: int = Field(description="Of the whole text: where end is less, ask again from there.")
    sha256: str = Field(description="Of the whole text in UTF-8.")
    terms: Terms


class RealText(BaseModel):
    """What stands in a document, and where."""

    document_id: str
    title: str
    url: Url
    place: Place
    spans: list[RealSpan] = Field(description="One, or one for each part of a quote with omissions.")


class CheckedQuote(BaseModel):
    """The verdict on one quote."""

    number: int = Field(description="Its place among the quotes; claims name it.")
    quote: str
    verdict: Verdict = Field(
        description="verbatim: it stands in a named document, or in any where none was named. nearly: real text is at "
        "least 90% alike, so quote that instead. from_another_document: it is verbatim, but there. fabricated: no text "
        "that shares its words is 90% alike, so do not show it. too_short: less than 4 words between an "
        "answer's quotation marks, not looked for."
    )
    reason: str
    folds: list[Fold] = Field(
        description="What differs where it is verbatim all the same; read found where it is omissions or changes."
    )
    likeness: float | None = Field(
        description="Of quote and real text: the share of characters that both have in order, 0 to 1."
    )
    found: RealText | None = Field(
        description="Where it stands, or the nearest real text; null when there is none."
    )


class CheckedClaim(BaseModel):
    """How well a claim is backed by its quotes or by what it cites."""

    claim: str
    quotes: list[int] = Field(description="The numbers of its quotes.")
    support: float | None = Field(description="0 to 1; null when it cites nothing that there is.")
    supported: bool | None = Field(description="Whether that is enough; null as support is.")
    evidence: RealText | None = Field(description="What backs it best.")


class Checked(BaseModel):
    """What became of the quotes, those of the answer first, and of the claims."""

    quotes: list[CheckedQuote]
    verdicts: dict[Verdict, int] = Field(description="How many quotes have each.")
    claims: list[CheckedClaim]
    scorer_accuracy: float | None = Field(
        description="How often the scorer is right, 0 to 1, on claims corrupted on purpose; on people's less. null: no "
        "claim was scored, or that was never measured."
    )
    unresolved_marks: list[str] = Field(description="Marks of the answer that name no document.")
    terms: Terms
