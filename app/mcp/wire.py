"""What the tools take and give: no more than a model needs to answer and to cite."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Offset = Annotated[int, Field(ge=0, description="In Unicode code points of the document's text.")]
Url = Annotated[str | None, Field(description="Where the original is; null when that is not known.")]
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
    place: str | None = Field(description="Where in the original: a page, a line, an anchor or a section.")
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


class QuoteToCheck(BaseModel):
    """A quote, and the document that it is said to stand in."""

    quote: str = Field(min_length=1, max_length=10_000)
    document_id: str | None = Field(None, description="Left out: any document.")


class CheckedQuote(BaseModel):
    """What became of one quote."""

    quote: str
    verdict: Literal["verbatim", "another_document", "not_found"] = Field(
        description="verbatim: it stands word for word in the named document, or in any where none was named. "
        "another_document: not in the named one, but in the one given here. not_found: neither there nor in the "
        "documents that share most of its words."
    )
    document_id: str | None = Field(description="The document that holds it; null when not found.")
    title: str | None
    start: int | None = Field(description="Where it stands there, in Unicode code points.")
    end: int | None


class Checked(BaseModel):
    """What became of each quote, in their order."""

    all_verbatim: bool
    quotes: list[CheckedQuote]
