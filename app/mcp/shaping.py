"""From the service's responses to what the tools give."""

from collections.abc import Sequence

from app.answering.trace_json.shapes import Citation, Hit
from app.mcp.wire import (
    Answered,
    Checked,
    CheckedClaim,
    CheckedQuote,
    DocumentText,
    Found,
    OtherAnswer,
    Passage,
    Quote,
    RealText,
)
from app.service import check
from app.service.attribution import Attribution
from app.service.in_words import REASONS
from app.service.response import AnswerResponse, DocumentResponse
from app.service.search import SearchResponse


def answered_of(response: AnswerResponse) -> Answered:
    """An answer or an abstention."""
    rival, calibration = response.conflict, response.calibration
    return Answered(
        answer=response.answer,
        short_answer=response.short_answer,
        kind=response.kind,
        abstained=response.abstained,
        why_abstained=None if response.abstain_reason is None else REASONS[response.abstain_reason],
        confidence=response.confidence,
        confidence_is_a_probability=calibration is not None and calibration.applies,
        quotes=_quotes(response.citations),
        other_answer=None
        if rival is None
        else OtherAnswer(
            answer=rival["answer"], confidence=rival["confidence"], quotes=_quotes(rival["citations"])
        ),
        nearest_quotes=_quotes(response.nearest),
        terms=_terms(response.attribution),
    )


def found_of(response: SearchResponse) -> Found:
    """Passages."""
    return Found(passages=list(map(_passage, response.hits)), terms=_terms(response.attribution))


def text_of(document: DocumentResponse, *, start: int, characters: int) -> DocumentText:
    """At most so many characters of a document, from ``start`` on."""
    start = min(start, len(document.text))
    text = document.text[start : start + characters]
    return DocumentText(
        document_id=document.document_id,
        title=document.title,
        url=document.url,
        text=text,
        start=start,
        end=start + len(text),
        characters=len(document.text),
        sha256=document.sha256,
        terms=_terms(document.attribution),
    )


def checked_of(response: check.CheckResponse) -> Checked:
    """The verdicts on quotes and claims."""
    measured = None if response.scorer is None else response.scorer.measured
    return Checked(
        quotes=[
            CheckedQuote(
                number=quote.number,
                quote=quote.quote,
                verdict=quote.verdict,
                reason=quote.reason,
                folds=quote.folds,
                likeness=quote.likeness,
                found=_real(quote.found),
            )
            for quote in response.quotes
        ],
        verdicts=response.verdicts,
        claims=[
            CheckedClaim(
                claim=claim.claim,
                quotes=claim.quotes,
                support=claim.support,
                supported=claim.supported,
                evidence=_real(claim.evidence),
            )
            for claim in response.claims
        ],
        scorer_accuracy=None if measured is None else measured.accuracy,
        unresolved_marks=[unresolved.mark for unresolved in response.unresolved_marks],
        terms=_terms(response.attribution),
    )


def _real(text: check.RealText | None) -> RealText | None:
    if text is None:
        return None
    return RealText(
        document_id=text.document_id,
        title=text.title,
        url=text.url,
        place=text.locator,
        spans=text.spans,
    )


def _quotes(citations: Sequence[Citation]) -> list[Quote]:
    return [
        Quote(
            quote=citation["quote"],
            document_id=citation["document_id"],
            title=citation["title"],
            url=citation["url"],
            place=citation["locator"],
            start=citation["start"],
            end=citation["end"],
            support=citation["support"],
        )
        for citation in citations
    ]


def _passage(hit: Hit) -> Passage:
    return Passage(
        text=hit["text"],
        headings=hit.get("headings", []),
        document_id=hit["document_id"],
        title=hit["title"],
        url=hit["url"],
        start=hit["start"],
        end=hit["end"],
        score=hit["score"],
    )


def _terms(attribution: Sequence[Attribution]) -> list[str]:
    told = [(source.source, source.attribution, source.licence) for source in attribution]
    return [f"{name}: {', '.join(filter(None, terms))}" for name, *terms in told if any(terms)]
