"""The way a question travels: retrieve, read, generate, cite, support, decide, and compose for a long answer."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from app.answering.answer_kind import AnswerKind
from app.answering.cite import Citer
from app.answering.composing.protocol import Composer
from app.answering.confidence.features import Backed, Evidence
from app.answering.confidence.scorers import ConfidenceScorer
from app.answering.deciding.decide import decide
from app.answering.events import (
    Composed,
    Decided,
    Event,
    Generated,
    Located,
    Read,
    Retrieved,
    Supported,
)
from app.answering.evidence import telling
from app.answering.generators.protocol import Generator
from app.answering.kind_asked import kind_asked
from app.answering.options import AnswerLength, AnswerOptions
from app.answering.reader import Reader
from app.answering.support import Claim, SupportScorer
from app.answering.text.words import has_words
from app.answering.types import (
    Abstention,
    Candidate,
    CandidateSource,
    Citation,
    CitedCandidate,
    Decision,
    Quote,
    Reading,
    ScoredSpan,
    Trace,
)
from common.deadline import NO_DEADLINE, Deadline
from retriever.retriever import Retriever
from retriever.types import Passage

_CITED_ANYWAY = 16
"""Candidates that are cited and supported when the time is up: they fit into what is kept back of it."""


@dataclass(slots=True)
class _Clock:
    """Seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)
    _last: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        now = time.perf_counter()
        self.seconds[stage] = now - self._last
        self._last = now


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Answers questions from one index. Every part can be replaced by another that follows its protocol."""

    retriever: Retriever
    reader: Reader
    generator: Generator
    citer: Citer
    support: SupportScorer
    confidence: ConfidenceScorer
    composer: Composer
    options: AnswerOptions = field(default_factory=AnswerOptions)

    def answer(
        self, question: str, options: AnswerOptions | None = None, *, deadline: Deadline = NO_DEADLINE
    ) -> Trace:
        """The trace of the answered question; see ``run``."""
        *_, last = self.run(question, options, deadline=deadline)
        assert isinstance(last, Decided)  # run ends with it
        return last.trace

    def run(
        self, question: str, options: AnswerOptions | None = None, *, deadline: Deadline = NO_DEADLINE
    ) -> Iterator[Event]:
        """One event per stage, in order; the last one holds the trace.

        ``deadline``: by when an answer is due. A generator that runs into it hands over what it has.

        Raises:
            DeadlineExceededError: when it passes before there is a candidate.
            GivenUpError: when the question is given up.
        """
        options = options or self.options
        clock = _Clock()
        hits = tuple(self.retriever.retrieve(question, k=options.top_k))
        clock.lap("retrieve")
        yield Retrieved(hits)

        deadline.check("retrieve")
        readings = tuple(map(self._telling, self.reader.read(question, hits, deadline=deadline)))
        clock.lap("read")
        yield Read(readings)

        deadline.check("read")
        kind = kind_asked(question, readings, options.length)
        candidates = self._generated(question, kind, readings, options, deadline)
        clock.lap("generate")
        yield Generated(candidates)

        cut_short = deadline.over
        if not candidates:
            deadline.check("generate")
        quoted = tuple(self._located(question, candidates, readings, deadline))
        clock.lap("cite")
        yield Located(quoted)

        cited = self._supported(Evidence(question, hits, readings, candidates), quoted, deadline)
        cut_short = cut_short or (deadline.over and len(candidates) > _CITED_ANYWAY)
        clock.lap("support")
        yield Supported(cited)

        decision = decide(
            hits, candidates, cited, self._nearest(readings), kind=kind, min_confidence=options.min_confidence
        )
        clock.lap("decide")
        if options.length is AnswerLength.LONG or kind is not AnswerKind.SHORT:
            decision = self._composed(question, decision, cited, readings, options, deadline)
            clock.lap("compose")
            yield Composed(decision)

        yield Decided(Trace(question, hits, readings, candidates, cited, decision, clock.seconds, cut_short))

    def _telling(self, reading: Reading) -> Reading:
        """The reading with such evidence as its document's structure lets answer."""
        if reading.broad is None:
            return reading
        passage = reading.hit.passage
        document = self.retriever.document(passage.doc_id)
        return replace(reading, broad=telling(reading.broad, document, passage.window_span))

    def _generated(
        self,
        question: str,
        kind: AnswerKind,
        readings: Sequence[Reading],
        options: AnswerOptions,
        deadline: Deadline,
    ) -> tuple[Candidate, ...]:
        """The candidates from the passages that have words."""
        worded = [reading for reading in readings if has_words(reading.hit.passage.window)]
        return tuple(
            self.generator.generate(
                question, worded, kind=kind, n=options.candidates, seed=options.seed, deadline=deadline
            )
        )

    def _located(
        self,
        question: str,
        candidates: Sequence[Candidate],
        readings: Sequence[Reading],
        deadline: Deadline,
    ) -> Iterator[tuple[Candidate, tuple[Quote, ...]]]:
        """Each candidate that has quotes with them; the first 16 whatever the time, the others while there is some."""
        for number, candidate in enumerate(candidates):
            if number >= _CITED_ANYWAY and deadline.over:
                return
            document = self.retriever.document(candidate.passage.doc_id)
            quotes = self.citer.cite(question, candidate, document, _evidence(readings, candidate.passage))
            if quotes:
                yield candidate, quotes

    def _supported(
        self,
        evidence: Evidence,
        quoted: Sequence[tuple[Candidate, tuple[Quote, ...]]],
        deadline: Deadline,
    ) -> tuple[CitedCandidate, ...]:
        """The candidates with support and confidence: the first 16 whatever the time, as with their quotes."""
        supports: list[float] = []
        for at in range(0, len(quoted), _CITED_ANYWAY):
            if at and deadline.over:
                break
            supports += self.support.score(
                [
                    _claim(evidence.question, candidate, quotes)
                    for candidate, quotes in quoted[at : at + _CITED_ANYWAY]
                ]
            )
        quoted = quoted[: len(supports)]
        confidences = self.confidence.score(
            evidence,
            [
                Backed.of(candidate, [quote.text for quote in quotes], support)
                for (candidate, quotes), support in zip(quoted, supports, strict=True)
            ],
        )
        return tuple(
            CitedCandidate(
                candidate, tuple(Citation.of(quote, support=support) for quote in quotes), confidence
            )
            for (candidate, quotes), support, confidence in zip(quoted, supports, confidences, strict=True)
        )

    def _composed(
        self,
        question: str,
        decision: Decision,
        cited: Sequence[CitedCandidate],
        readings: Sequence[Reading],
        options: AnswerOptions,
        deadline: Deadline,
    ) -> Decision:
        """The answer in several sentences; an abstention as it is."""
        if isinstance(decision, Abstention):
            return decision
        document = self.retriever.document(decision.passage.doc_id)
        sure = [answer for answer in cited if answer.confidence >= options.min_confidence]
        evidence = _evidence(readings, decision.passage)
        return self.composer.compose(
            question, decision, document, cited=sure, evidence=evidence, deadline=deadline
        )

    def _nearest(self, readings: Sequence[Reading]) -> Iterator[Citation]:
        """The best span of each reading as a citation, its score standing in for support."""
        for reading in readings:
            if reading.spans:
                best = reading.spans[0]
                document = self.retriever.document(reading.hit.passage.doc_id)
                yield Citation.of(Quote(document, best.span), support=best.score)


def _evidence(readings: Sequence[Reading], passage: Passage) -> tuple[ScoredSpan, ...]:
    """How likely each unit of the passage is among what answers; nothing where no reader says so."""
    broad = next((reading.broad for reading in readings if reading.hit.passage.row == passage.row), None)
    return () if broad is None else broad.evidence


def _claim(question: str, candidate: Candidate, quotes: Sequence[Quote]) -> Claim:
    """The answer with all that is quoted for it; what was judged to say yes or no is to back itself."""
    quoted = " ".join(quote.text for quote in quotes)
    claimed = quoted if candidate.source is CandidateSource.VERDICT else candidate.answer
    return Claim(question, claimed, quotes[0].document.title, quoted)
