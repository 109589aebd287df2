"""Checking a whole answer: every quote gets its finding, every claim the real text that it is judged by."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from common.deadline import NO_DEADLINE, Deadline
from common.errors import InvalidRequestError
from quote_check.answer_text import ClaimToCheck, ReadAnswer, UnresolvedMark, read_answer
from quote_check.check import Finding, QuoteToCheck, check_quote
from quote_check.corpus import Corpus
from quote_check.evidence import Evidence, evidence_of
from retriever.types import Document


@dataclass(frozen=True, slots=True)
class GivenClaim:
    """A claim that came in a field, with its own quotes and the documents that it cites."""

    text: str
    quotes: tuple[QuoteToCheck, ...] = ()
    document_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerToCheck:
    """An answer of any system. ``text``: plain or Markdown, its quotes and marks are looked for.

    ``quotes``, ``claims``: those that came in fields. ``question``: what was asked, where that is known: claims are
    judged with it. ``documents``: check against these alone; None: against the index. ``sources``: documents' ids by
    what the marks of the text call them.
    """

    text: str = ""
    quotes: tuple[QuoteToCheck, ...] = ()
    claims: tuple[GivenClaim, ...] = ()
    question: str = ""
    documents: tuple[Document, ...] | None = None
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """A claim with the real text that may back it; none where it cites nothing that there is."""

    claim: ClaimToCheck
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """The findings on an answer's quotes, in its order, its claims, and the marks that name no document."""

    findings: tuple[Finding, ...]
    claims: tuple[CheckedClaim, ...]
    unresolved: tuple[UnresolvedMark, ...]


def read(asked: AnswerToCheck, corpus: Corpus, *, deadline: Deadline = NO_DEADLINE) -> ReadAnswer:
    """All quotes and claims of an answer: those of its text, then those that came in fields.

    Raises:
        DeadlineExceededError, GivenUpError: when the deadline is over before all is read.
    """
    found = read_answer(asked.text, corpus, sources=asked.sources, check=partial(deadline.check, "read"))
    quotes, claims = [*found.quotes, *asked.quotes], list(found.claims)
    for given in asked.claims:
        first = len(quotes)
        quotes += [
            quote if quote.document_ids else replace(quote, document_ids=given.document_ids)
            for quote in given.quotes
        ]
        claims.append(ClaimToCheck(given.text, tuple(range(first, len(quotes))), given.document_ids))
    return ReadAnswer(tuple(quotes), tuple(claims), found.unresolved)


def refuse_more(found: ReadAnswer, *, most: int) -> None:
    """Refuses an answer with more quotes or claims than this.

    Raises:
        InvalidRequestError: naming how many there are.
    """
    for what, count in (("quotes", len(found.quotes)), ("claims", len(found.claims))):
        if count > most:
            raise InvalidRequestError(
                f"The answer has {count:,} {what}, but at most {most:,} are checked at once; send it in parts."
            )


def check_answer(
    found: ReadAnswer,
    corpus: Corpus,
    *,
    holders: Mapping[str, str] | None = None,
    deadline: Deadline = NO_DEADLINE,
) -> CheckedAnswer:
    """Every finding and every claim's evidence.

    ``holders``: by text of a quote, a document that is known to hold its very characters.

    Raises:
        DeadlineExceededError, GivenUpError: when the deadline is over before all is checked.
    """
    known = holders or {}
    findings = tuple(
        check_quote(
            quote, corpus, holder=next(filter(None, map(known.get, quote.texts)), None), deadline=deadline
        )
        for quote in found.quotes
    )
    claims = []
    for claim in found.claims:
        deadline.check("check")
        named = [corpus.named(doc_id) for doc_id in claim.document_ids]
        cited = [text for text in named if text is not None]
        backing = evidence_of(claim.text, [findings[number] for number in claim.quotes], cited)
        claims.append(CheckedClaim(claim, tuple(backing)))
    return CheckedAnswer(findings, tuple(claims), found.unresolved)
