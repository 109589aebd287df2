"""Checking answers that Loccit did not make: their quotes word for word, their claims by the support scorer.

`loccit check` and the HTTP server give the same response. In Python it is ``checker_of(service).check(asked)``.
"""

import math
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from app.answering.support import Claim
from app.service.attribution import Attribution, attribution_of
from app.service.claim_support import SUPPORTED_FROM, ClaimScorer
from common.deadline import NO_DEADLINE, Deadline
from common.lines import lines_with_ends
from quote_check.check import Finding, Form, Verdict, counted
from quote_check.check_answer import (
    AnswerToCheck,
    CheckedClaim,
    check_answer,
    read,
    refuse_more,
)
from quote_check.corpus import GivenCorpus, IndexCorpus
from quote_check.evidence import Evidence
from quote_check.folding import Fold
from retriever.manifest import Manifest
from retriever.types import Document, Span, opened_at

if TYPE_CHECKING:  # a check of quotes loads no model, nor what models need
    from app.service.assembly import AnswerService

_SCORED_TOGETHER = 16  # claims, with a look at the clock between


class AnswerPlace(BaseModel):
    """Where something stands in the answer."""

    start: int = Field(ge=0, description="In Unicode code points of the answer.")
    end: int = Field(ge=1, description="It ends before it.")
    line: int = Field(ge=1, description="The first is 1.")
    column: int = Field(ge=1, description="Of its first character, in code points; the first is 1.")
    end_line: int = Field(ge=1)
    end_column: int = Field(ge=1, description="Of the character after its last.")


class RealSpan(BaseModel):
    """Real text: `document.text[start:end] == text`."""

    start: int = Field(ge=0, description="In Unicode code points of the stored document.")
    end: int = Field(ge=1, description="It ends before it.")
    text: str


class RealText(BaseModel):
    """What stands in a document, and where."""

    document_id: str
    title: str
    url: str | None
    source: str | None = Field(description="The name of the document's source in the index.")
    locator: str | None = Field(description="Where it begins in the original, such as `page 12`.")
    spans: list[RealSpan] = Field(
        description="One, or one for each part of a quote with omissions or marked changes."
    )


class CheckedQuote(BaseModel):
    """The verdict on one quote."""

    number: int = Field(ge=1, description="Its place among the answer's quotes.")
    quote: str = Field(description="As a reader sees it, without marks of emphasis.")
    form: Form
    place: AnswerPlace | None = Field(description="In the answer; null for a quote that came in a field.")
    marks: list[str] = Field(description="Those that cite it, as they are written.")
    document_ids: list[str] = Field(description="Of the documents that are cited for it.")
    verdict: Verdict
    reason: str
    folds: list[Fold] = Field(
        description="What differs between the quote and a text in which it is verbatim all the same."
    )
    likeness: float | None = Field(
        ge=0,
        le=1,
        description="Of quote and real text: the share of characters that both have in order, rounded down. 1: they "
        "differ at most in looks. null where nothing is alike, or nothing was looked for.",
    )
    found: RealText | None = Field(description="Where it stands, or the nearest real text.")
    offsets_match: bool | None = Field(
        description="Whether it stands at the offsets that were claimed; null where none were."
    )
    unknown_document_ids: list[str] = Field(description="Cited, but not there.")


class CheckedClaimResponse(BaseModel):
    """How well a sentence is backed by its quotes or by what it cites."""

    number: int = Field(ge=1, description="Its place among the answer's claims.")
    claim: str = Field(description="The sentence without its marks.")
    place: AnswerPlace | None = Field(description="In the answer; null for a claim that came in a field.")
    marks: list[str]
    document_ids: list[str] = Field(description="Of the documents that its marks cite.")
    quotes: list[int] = Field(description="The numbers of its quotes.")
    support: float | None = Field(
        ge=0, le=1, description="0 to 1. null: it cites nothing that there is, or claims were not scored."
    )
    supported: bool | None = Field(
        description=f"Whether the support is {SUPPORTED_FROM} or more; null as support is."
    )
    evidence: RealText | None = Field(description="What backs it best.")


class UnresolvedMarkResponse(BaseModel):
    """A mark that names no document."""

    mark: str
    place: AnswerPlace


class Measured(BaseModel):
    """What was measured of the scorer on claims that it had not seen."""

    accuracy: float = Field(description="Share of claims judged right at a support of 0.5.")
    auroc: float | None
    claims: int


class Scorer(BaseModel):
    """Who judged the claims, and how often that is right."""

    name: str
    sha256: str | None = Field(description="Of its weights.")
    measured: Measured | None = Field(
        description="On held-out claims, true and corrupted, as the weights' manifest has it; null where nothing was "
        "measured."
    )
    by_kind: dict[str, Measured] = Field(description="The same by kind of claim or corruption.")


class Searched(BaseModel):
    """What quotes were looked for in."""

    documents: int
    index: bool = Field(description="Whether they are the index's; otherwise they were handed in.")
    complete: bool = Field(
        description="Whether every document was read. If not: those cited, and the passages that share the most words "
        "with each quote."
    )


class CheckResponse(BaseModel):
    """What became of an answer's quotes and claims."""

    quotes: list[CheckedQuote]
    claims: list[CheckedClaimResponse]
    unresolved_marks: list[UnresolvedMarkResponse]
    verdicts: dict[Verdict, int] = Field(description="How many quotes have each.")
    searched: Searched
    scorer: Scorer | None = Field(description="null where claims were not scored.")
    generation: str | None = Field(description="Of the index; null when documents were handed in.")
    attribution: list[Attribution] = Field(description="Of the sources of all that is shown here.")
    timings_ms: dict[str, float] = Field(
        description="Milliseconds: wait, read (the answer), check (its quotes), support (its claims), total."
    )

    def as_json(self) -> dict[str, Any]:
        """The object on the wire."""
        return self.model_dump(mode="json")


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks answers against an index, or against documents that come with them.

    ``corpus``: the index's documents; None: only answers with documents of their own can be checked. ``scorer``: who
    judges claims, loaded when it is called first; None: claims are not scored.
    """

    corpus: IndexCorpus | None = None
    scorer: Callable[[], ClaimScorer] | None = None
    manifest: Manifest | None = None
    generation: str | None = None

    def check(
        self,
        asked: AnswerToCheck,
        *,
        most: int | None = None,
        waited: float = 0.0,
        holders: Mapping[str, str] | None = None,
        deadline: Deadline = NO_DEADLINE,
    ) -> CheckResponse:
        """What becomes of the answer's quotes and claims.

        ``most``: quotes, and claims, that are checked at most. ``waited``: seconds that passed before its turn came.
        ``holders``: by text of a quote, the document that holds it; given, all documents have been read for them.

        Raises:
            InvalidRequestError: when it has more quotes or claims than that.
            DeadlineExceededError, GivenUpError: when the deadline is over before all is checked.
        """
        clock = _Clock(waited)
        corpus = self.corpus_for(asked)
        found = read(asked, corpus, deadline=deadline)
        if most is not None:
            refuse_more(found, most=most)
        clock.lap("read")
        checked = check_answer(found, corpus, holders=holders, deadline=deadline)
        clock.lap("check")
        scorer = None if self.scorer is None or not checked.claims else self.scorer()
        scores = _scores(asked, checked.claims, scorer, deadline)
        clock.lap("support")
        given = asked.documents is not None
        lines = _Lines(asked.text)
        quotes = [_quote(number, finding, lines) for number, finding in enumerate(checked.findings, start=1)]
        claims = [
            _claim(number, claim, score, lines)
            for number, (claim, score) in enumerate(zip(checked.claims, scores, strict=True), start=1)
        ]
        shown = {text.source for text in (*(q.found for q in quotes), *(c.evidence for c in claims)) if text}
        return CheckResponse(
            quotes=quotes,
            claims=claims,
            unresolved_marks=[
                UnresolvedMarkResponse(mark=mark.written, place=lines.place(mark.span))
                for mark in checked.unresolved
            ],
            verdicts=dict(counted(checked.findings)),
            searched=Searched(documents=len(corpus), index=not given, complete=given or holders is not None),
            scorer=None if scorer is None else _scorer(scorer),
            generation=None if given else self.generation,
            attribution=[] if given else attribution_of(shown, self.manifest, allowed=None),
            timings_ms=clock.timings(),
        )

    def corpus_for(self, asked: AnswerToCheck) -> GivenCorpus | IndexCorpus:
        """What the answer's quotes are looked for in."""
        if asked.documents is not None:
            return GivenCorpus(asked.documents)
        return GivenCorpus(()) if self.corpus is None else self.corpus


def checker_of(service: "AnswerService") -> Checker:
    """The checker over a service's index; the trained scorer judges claims, where there are weights of it."""
    return Checker(
        corpus=IndexCorpus(service.index.store, service.index.lexical),
        scorer=service.claim_scorer
        or (lambda: ClaimScorer(service.models.support, service.pipeline.support)),
        manifest=service.index.manifest,
        generation=service.index.generation,
    )


class _Clock:
    """Milliseconds by stage."""

    def __init__(self, waited: float) -> None:
        self._timings, self._last = {"wait": waited}, time.perf_counter()

    def lap(self, stage: str) -> None:
        """The stage is over."""
        now = time.perf_counter()
        self._timings[stage], self._last = now - self._last, now

    def timings(self) -> dict[str, float]:
        """All of them and their sum."""
        timings = {**self._timings, "total": sum(self._timings.values())}
        return {stage: round(1000 * seconds, 2) for stage, seconds in timings.items()}


class _Lines:
    """Lines and columns of an answer."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        for line in lines_with_ends(text):
            self._starts.append(self._starts[-1] + len(line))

    def place(self, span: Span) -> AnswerPlace:
        """Where a span of the answer stands."""
        (line, column), (end_line, end_column) = self._at(span.start), self._at(span.end)
        return AnswerPlace(
            start=span.start,
            end=span.end,
            line=line,
            column=column,
            end_line=end_line,
            end_column=end_column,
        )

    def _at(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def _scores(
    asked: AnswerToCheck, claims: Sequence[CheckedClaim], scorer: ClaimScorer | None, deadline: Deadline
) -> list[tuple[float, Evidence] | None]:
    """The support of each claim by what backs it best; None where nothing does, or there is no scorer."""
    if scorer is None:
        return [None] * len(claims)
    pairs = [(number, each) for number, claim in enumerate(claims) for each in claim.evidence]
    best: list[tuple[float, Evidence] | None] = [None] * len(claims)
    for at in range(0, len(pairs), _SCORED_TOGETHER):
        deadline.check("support")
        some = pairs[at : at + _SCORED_TOGETHER]
        scores = scorer.scorer.score(
            [
                Claim(asked.question, claims[number].claim.text, each.document.title, each.text)
                for number, each in some
            ]
        )
        for (number, each), score in zip(some, scores, strict=True):
            now = best[number]
            if now is None or score > now[0]:
                best[number] = score, each
    return best


def _quote(number: int, finding: Finding, lines: _Lines) -> CheckedQuote:
    quote, found = finding.quote, finding.found
    return CheckedQuote(
        number=number,
        quote=quote.text,
        form=quote.form,
        place=None if quote.span is None else lines.place(quote.span),
        marks=list(quote.marks),
        document_ids=list(quote.document_ids),
        verdict=finding.verdict,
        reason=finding.reason,
        folds=list(finding.folds),
        likeness=None if found is None else rounded_down(found.likeness),
        found=None if found is None else _real(found.document, found.spans),
        offsets_match=finding.offsets_match,
        unknown_document_ids=list(finding.unknown),
    )


def _claim(
    number: int, checked: CheckedClaim, score: tuple[float, Evidence] | None, lines: _Lines
) -> CheckedClaimResponse:
    claim = checked.claim
    evidence = score[1] if score else next(iter(checked.evidence), None)
    return CheckedClaimResponse(
        number=number,
        claim=claim.text,
        place=None if claim.span is None else lines.place(claim.span),
        marks=list(claim.marks),
        document_ids=list(claim.document_ids),
        quotes=[place + 1 for place in claim.quotes],
        support=None if score is None else rounded_down(score[0]),
        supported=None if score is None else score[0] >= SUPPORTED_FROM,
        evidence=None if evidence is None else _real(evidence.document, (evidence.span,)),
    )


def _real(document: Document, spans: Sequence[Span]) -> RealText:
    block = document.block_at(spans[0].start)
    locator = None if block is None else block.locator
    return RealText(
        document_id=document.doc_id,
        title=document.title,
        url=opened_at(document.url, locator),
        source=document.source,
        locator=None if locator is None else str(locator),
        spans=[RealSpan(start=span.start, end=span.end, text=span.of(document.text)) for span in spans],
    )


def _scorer(scorer: ClaimScorer) -> Scorer:
    kinds = {name: _measured(figures) for name, figures in scorer.measured.items() if "accuracy" in figures}
    return Scorer(name=scorer.name, sha256=scorer.sha256, measured=kinds.pop("all", None), by_kind=kinds)


def _measured(figures: Mapping[str, Any]) -> Measured:
    return Measured(accuracy=figures["accuracy"], auroc=figures.get("auroc"), claims=figures["claims"])


def rounded_down(share: float) -> float:
    """To four digits, never up: 1 is kept for what is the same."""
    return math.floor(share * 10_000) / 10_000
