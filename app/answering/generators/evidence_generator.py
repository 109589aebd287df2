"""Answers by an adapted language model: it reads the best passages together, writes, and judges every answer."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.answering.answer_kind import AnswerKind
from app.answering.evidence_model.adapted_lm import PrefilledEvidence, Written
from app.answering.evidence_model.evidence_input import NO_ANSWER
from app.answering.evidence_model.loaded_when_asked import EvidenceLM
from app.answering.generators.reader_generator import ReaderGenerator
from app.answering.generators.written_answers import ANSWER_TOKENS, TEMPERATURE, answers, tidied
from app.answering.types import Candidate, CandidateSource, Opinion, Reading
from common.deadline import Deadline
from common.errors import DeadlineExceededError
from retriever.types import Passage

PASSAGES_TOGETHER = 2
SAMPLES_TOGETHER = 8
_SEEDS_APART = 1000  # more than anybody samples for one question, so that no two seeds share a sample


class EvidenceGenerator:
    """The reader's answers and the language model's, each with the language model's opinion.

    ``quoting``: the language model writes GopherCite's syntax under a mask, so that its answers bring quotes of their
    own. ``reader``: None for the language model's answers alone. ``together``: passages that the language model reads
    at once, the best ones. The first of its attempts is the answer from those; further ones are the answers from
    single passages that the reader found something in, best first, then samples of the first (GopherCite, section
    2.3: candidates from different documents, more samples than documents).
    """

    def __init__(
        self,
        lm: EvidenceLM,
        reader: ReaderGenerator | None,
        *,
        together: int = PASSAGES_TOGETHER,
        quoting: bool = False,
    ) -> None:
        self._lm, self._reader, self._together, self._quoting = lm, reader, together, quoting

    def generate(
        self,
        question: str,
        readings: Sequence[Reading],
        *,
        kind: AnswerKind = AnswerKind.SHORT,
        n: int,
        seed: int,
        deadline: Deadline,
    ) -> list[Candidate]:
        """The reader's candidates, then those of the language model's first ``n`` attempts.

        It writes short answers alone: where another kind is asked for, it judges what the reader found.
        An attempt that is empty, cut off or says that there is no answer gives no candidate. What an attempt gives,
        opinions included, does not depend on ``n``: without a deadline, the candidates for ``n`` are those for any
        larger number whose ``attempt`` is below ``n`` or None.
        """
        if not readings:
            return []
        extracted = (
            self._reader.generate(question, readings, kind=kind, n=n, seed=seed, deadline=deadline)
            if self._reader
            else []
        )
        candidates: list[Candidate] = []
        try:
            attempts = n if kind is AnswerKind.SHORT else 0
            for judged in self._judged(
                question, readings, extracted, n=attempts, seed=seed, deadline=deadline
            ):
                candidates += judged
                deadline.check("generate")
        except DeadlineExceededError:
            candidates = candidates or extracted
        return [candidate for candidate in candidates if candidate.attempt is None or candidate.attempt < n]

    def _judged(
        self,
        question: str,
        readings: Sequence[Reading],
        extracted: Sequence[Candidate],
        *,
        n: int,
        seed: int,
        deadline: Deadline,
    ) -> Iterator[list[Candidate]]:
        """The extracted candidates with their opinions, then those of one attempt after the other.

        Raises:
            DeadlineExceededError, GivenUpError: when the deadline is over before passages are read.
        """
        best = [reading.hit.passage for reading in readings[: self._together]]
        together = _Together(self._read(question, best, deadline), best)
        yield together.judged(extracted, deadline)
        if not n:
            return
        first = self._quoted(question, best, deadline) if self._quoting else together.greedy(deadline)
        yield together.judged(_attempt(0, first), deadline)
        alone = _worth_reading_alone(readings)
        for number, passage in enumerate(alone[: n - 1], start=1):
            written = self._written(question, passage, deadline)
            yield together.judged(_attempt(number, written), deadline)
        for before in range(0, n - 1 - len(alone), SAMPLES_TOGETHER):
            samples = together.samples(before, seed=seed, deadline=deadline)
            numbered = [replace(candidate, attempt=len(alone) + candidate.sample) for candidate in samples]
            yield together.judged(numbered, deadline)

    def _written(self, question: str, passage: Passage, deadline: Deadline) -> list[Candidate]:
        """The greedy answer from one passage."""
        if self._quoting:
            return self._quoted(question, [passage], deadline)
        evidence = self._read(question, [passage], deadline)
        return _candidates([passage], evidence.write(max_tokens=ANSWER_TOKENS, deadline=deadline))

    def _quoted(self, question: str, passages: Sequence[Passage], deadline: Deadline) -> list[Candidate]:
        """The greedy answer with the quote that it wrote."""
        quoted = self._read(question, passages, deadline, quoted=True).write_quoted(deadline=deadline)
        if quoted is None or not quoted.finished or not answers(quoted.claim, no_answer=NO_ANSWER):
            return []
        passage = passages[quoted.passage]
        return [
            Candidate(
                answer=tidied(quoted.claim),
                passage=passage,
                source=CandidateSource.CONSTRAINED,
                logprob=quoted.logprob,
                tokens=quoted.tokens,
                pointer=quoted.span.shifted(passage.span.start),
            )
        ]

    def _read(
        self, question: str, passages: Sequence[Passage], deadline: Deadline, *, quoted: bool = False
    ) -> PrefilledEvidence:
        """Several passages are read without their continuations, as in training."""
        alone = len(passages) == 1
        windows = [(passage.heading, passage.window if alone else passage.text) for passage in passages]
        return self._lm.read(question, windows, quoted=quoted, deadline=deadline)


class _Together:
    """The best passages, read together: what is written from that, and its opinion of answers, whoever wrote them.

    An opinion stays as it was first given, and answers are judged with those of the same attempt alone: which others
    are judged beside an answer decides which words can occur in it.
    """

    def __init__(self, evidence: PrefilledEvidence, passages: Sequence[Passage]) -> None:
        self._evidence, self._passages = evidence, passages
        self._known: dict[str, Written] = {}

    def greedy(self, deadline: Deadline) -> list[Candidate]:
        """The greedy answer."""
        written = self._evidence.write(max_tokens=ANSWER_TOKENS, deadline=deadline)
        self._learn(written)
        return _candidates(self._passages, written)

    def samples(self, before: int, *, seed: int, deadline: Deadline) -> list[Candidate]:
        """The samples that come after so many others.

        Always as many side by side, wanted or not: in a batch of another size one could come out otherwise.
        """
        written = self._evidence.write(
            SAMPLES_TOGETHER,
            max_tokens=ANSWER_TOKENS,
            temperature=TEMPERATURE,
            seed=seed * _SEEDS_APART + before,
            deadline=deadline,
        )
        self._learn(written)
        return _candidates(self._passages, written, first_sample=before + 1)

    def judged(self, candidates: Sequence[Candidate], deadline: Deadline) -> list[Candidate]:
        """The candidates with an opinion of each, or of as many as there is time for."""
        different = dict.fromkeys(candidate.answer for candidate in candidates)
        unknown = [answer for answer in different if answer not in self._known]
        self._learn(self._evidence.score(unknown, deadline=deadline))
        return [
            replace(candidate, opinion=_opinion(known, candidate.passage, self._passages))
            if (known := self._known.get(candidate.answer)) is not None
            else candidate
            for candidate in candidates
        ]

    def _learn(self, written: Sequence[Written]) -> None:
        self._known = {**{answer.text: answer for answer in written if answer.finished}, **self._known}


def _attempt(number: int, candidates: Sequence[Candidate]) -> list[Candidate]:
    return [replace(candidate, attempt=number) for candidate in candidates]


def _worth_reading_alone(readings: Sequence[Reading]) -> list[Passage]:
    """The passages that the reader found something in, or all of them; the best one has been answered from."""
    best, *others = readings
    promising = [reading for reading in others if reading.spans]
    return [reading.hit.passage for reading in (promising if promising or best.spans else others)]


def _opinion(scored: Written, passage: Passage, read: Sequence[Passage]) -> Opinion:
    here = [
        (span.shifted(passage.span.start), probability)
        for number, span, probability in scored.pointed.spans
        if read[number].row == passage.row
    ]
    pointer, pointed = here[0] if here else (None, 0.0)
    return Opinion(
        logprob=scored.logprob,
        tokens=scored.tokens,
        right=scored.pointed.right,
        null=scored.pointed.null,
        pointer=pointer,
        pointed=pointed,
    )


def _candidates(
    passages: Sequence[Passage], written: Sequence[Written], *, first_sample: int | None = None
) -> list[Candidate]:
    """Those that are answers. ``first_sample``: the number of the first one; None where it is the greedy answer."""
    return [
        Candidate(
            answer=tidied(answer.text),
            passage=passages[answer.pointed.spans[0][0]] if answer.pointed.spans else passages[0],
            source=CandidateSource.LM,
            logprob=answer.logprob,
            tokens=answer.tokens,
            sample=0 if first_sample is None else first_sample + place,
        )
        for place, answer in enumerate(written)
        if answer.finished and answers(answer.text, no_answer=NO_ANSWER)
    ]
