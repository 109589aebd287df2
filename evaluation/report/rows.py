"""Rows: each question of a run as a page shows it, with its verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from app.answering.trace_json.shapes import Alternative, Citation
from evaluation.outcome import Outcome
from evaluation.run_folder import PredictionLine
from evaluation.score import Scored


class Verdict(StrEnum):
    """What became of a question at a threshold: exactly one holds."""

    RIGHT = "right"
    WRONG = "wrong"
    ABSTAINED = "abstained"
    RIGHTLY_ABSTAINED = "rightly abstained"
    SHOULD_HAVE_ABSTAINED = "should have abstained"
    SET_ASIDE = "set aside"


class Trait(StrEnum):
    """What a reader looks for beside the verdict: any number may hold."""

    NOT_RETRIEVED = "no answer in the passages read"
    WOULD_BE_RIGHT = "abstained, would have been right"
    UNSUPPORTED = "answered, quote does not support it"
    RIGHT_UNSUPPORTED = "right, quote does not support it"
    OTHER_DOCUMENT = "answered, other than the gold document cited"
    NOT_VERBATIM = "a quote is not verbatim"


@dataclass(frozen=True, slots=True)
class Check:
    """A named fact about an answer that holds or does not."""

    name: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Quote:
    """A quote in its context, with … where that is cut. ``url``: None unless it is safe to follow (http, https)."""

    before: str
    text: str
    after: str
    title: str
    url: str | None
    place: str


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a ranking first holds something; ``rank`` is None where it never does."""

    name: str
    rank: int | None
    depth: int


@dataclass(frozen=True, slots=True)
class Row:
    """A question of a run. ``answer``: said, or what would have been said. ``quotes``: those that back it first."""

    id: str
    question: str
    kind: str
    side: str
    expected: tuple[str, ...]
    answer: str | None
    given: bool
    confidence: float
    reason: str | None
    verdict: Verdict
    traits: tuple[Trait, ...]
    checks: tuple[Check, ...]
    quotes: tuple[Quote, ...]
    nearest: bool
    ranks: tuple[Rank, ...]
    others: tuple[str, ...]

    @property
    def to_abstain(self) -> bool:
        """Whether abstaining is right."""
        return self.verdict in {Verdict.RIGHTLY_ABSTAINED, Verdict.SHOULD_HAVE_ABSTAINED}

    @property
    def labels(self) -> tuple[str, ...]:
        """Its verdict and traits: what it can be found by."""
        return (self.verdict.value, *(trait.value for trait in self.traits))


def rows(run: Scored, *, min_confidence: float) -> list[Row]:
    """Every question of the run at this threshold, in its order."""
    return [
        _row(line, outcome, min_confidence) for line, outcome in zip(run.lines, run.outcomes, strict=True)
    ]


def _row(line: PredictionLine, outcome: Outcome, min_confidence: float) -> Row:
    decision = line["trace"]["decision"]
    citations = decision["citations"] or decision["nearest"] if outcome.quoted else []
    citations = sorted(citations, key=lambda citation: citation["further"])
    return Row(
        id=outcome.id,
        question=line["question"],
        kind=outcome.kind,
        side=outcome.side.value,
        expected=tuple(line["answers"]),
        answer=decision["answer"] if outcome.quoted else outcome.answer,
        given=outcome.given(min_confidence),
        confidence=outcome.confidence,
        reason=decision["abstain_reason"] if outcome.answer is None else None,
        verdict=verdict(outcome, min_confidence),
        traits=tuple(_traits(outcome, min_confidence)),
        checks=tuple(_checks(outcome)),
        quotes=tuple(map(_quote, citations)),
        nearest=not decision["citations"],
        ranks=tuple(_ranks(outcome)),
        others=tuple(_others(decision["alternatives"])) if outcome.quoted else (),
    )


def verdict(outcome: Outcome, min_confidence: float) -> Verdict:
    """What became of the question at this threshold. Right: a known answer stands in the answer."""
    given = outcome.given(min_confidence)
    if outcome.set_aside:
        return Verdict.SET_ASIDE
    if not outcome.answerable:
        return Verdict.SHOULD_HAVE_ABSTAINED if given else Verdict.RIGHTLY_ABSTAINED
    if not given:
        return Verdict.ABSTAINED
    return Verdict.RIGHT if outcome.contains_answer else Verdict.WRONG


def _traits(outcome: Outcome, min_confidence: float) -> Iterator[Trait]:
    given = outcome.given(min_confidence)
    if outcome.answerable:
        if outcome.answer_in_hits is False:
            yield Trait.NOT_RETRIEVED
        if outcome.contains_answer and not given:
            yield Trait.WOULD_BE_RIGHT
        if given and outcome.quoted and not outcome.supported:
            yield Trait.UNSUPPORTED
            if outcome.contains_answer:
                yield Trait.RIGHT_UNSUPPORTED
        if given and outcome.quoted and outcome.gold_cited is False:
            yield Trait.OTHER_DOCUMENT
    if outcome.quote_verbatim is False:
        yield Trait.NOT_VERBATIM


def _checks(outcome: Outcome) -> Iterator[Check]:
    """Those that mean something: of an answer to an answerable question, and of quotes."""
    if outcome.answerable and outcome.answer is not None:
        yield Check("exact match", outcome.exact_match)
        if outcome.quoted:
            yield Check("quote has the answer", outcome.quote_has_answer)
            yield Check("supported", outcome.supported)
            if outcome.gold_cited is not None:
                yield Check("gold document cited", outcome.gold_cited)
    if outcome.quote_verbatim is not None and outcome.answer is not None:
        yield Check("verbatim", outcome.quote_verbatim)


def _quote(citation: Citation) -> Quote:
    before, after = citation["before"], citation["after"]
    return Quote(
        before=f"… {before}" if citation["start"] > len(before) else before,
        text=citation["quote"],
        after=f"{after} …" if after and not after.rstrip().endswith((".", "!", "?")) else after,
        title=citation["title"],
        url=_followed(citation["url"]),
        place=f"{citation['document_id']} [{citation['start']}:{citation['end']}]",
    )


def _followed(url: str | None) -> str | None:
    """The address where a browser may follow it: over http or https, nothing that runs."""
    try:
        return url if url and urlsplit(url).scheme in {"http", "https"} else None
    except ValueError:  # no address at all
        return None


def _ranks(outcome: Outcome) -> Iterator[Rank]:
    judged = (
        ("passage with the answer", outcome.holds_answer),
        ("passage of the gold document", outcome.is_gold),
    )
    for name, flags in judged:
        if flags is not None:
            yield Rank(name, flags.index(True) + 1 if True in flags else None, len(flags))


def _others(alternatives: Sequence[Alternative]) -> Iterator[str]:
    for other in alternatives:
        yield f"{other['answer']} ({other['confidence']:.2f})"
