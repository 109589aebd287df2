"""Answers by an adapted language model: it reads the best passages together, writes, and judges every answer."""

from collections.abc import Sequence
from dataclasses import replace

from app.answering.evidence_input import NO_ANSWER
from app.answering.evidence_lm import EvidenceLM, ReadEvidence, Written
from app.answering.generator import ANSWER_TOKENS, TEMPERATURE, ReaderGenerator, tidied
from app.answering.normalise import normalise_answer
from app.answering.types import Candidate, CandidateSource, Opinion, Reading
from retriever.types import Passage

PASSAGES_TOGETHER = 2


class EvidenceGenerator:
    """The reader's answers and the language model's, each with the language model's opinion.

    ``reader``: None for the language model's answers alone. ``together``: passages that the language model reads
    at once, the best ones. When one answer is wanted it writes one from those; further ones come from single
    passages, best first, then from samples (GopherCite, section 2.3: candidates from different documents, more
    samples than documents).
    """

    def __init__(
        self, lm: EvidenceLM, reader: ReaderGenerator | None, *, together: int = PASSAGES_TOGETHER
    ) -> None:
        self._lm, self._reader, self._together = lm, reader, together

    def generate(
        self, question: str, readings: Sequence[Reading], *, n: int, seed: int, deadline: float | None
    ) -> list[Candidate]:
        """The reader's candidates, then at most ``n`` of the language model's."""
        passages = [reading.hit.passage for reading in readings]
        if not passages:
            return []
        extracted = (
            self._reader.generate(question, readings, n=n, seed=seed, deadline=deadline)
            if self._reader
            else []
        )
        best = passages[: self._together]
        evidence = self._read(question, best)
        written = _candidates(best, evidence.write(max_tokens=ANSWER_TOKENS, deadline=deadline))
        for passage in passages[1:n]:
            alone = self._read(question, [passage])
            found = alone.write(max_tokens=ANSWER_TOKENS, deadline=deadline)
            written += _candidates([passage], found)
        if n > len(passages):
            sampled = evidence.write(
                n - len(passages),
                max_tokens=ANSWER_TOKENS,
                temperature=TEMPERATURE,
                seed=seed,
                deadline=deadline,
            )
            written += _candidates(best, sampled, sampled=True)
        return self._judged([*extracted, *written], evidence, best)

    def _read(self, question: str, passages: Sequence[Passage]) -> ReadEvidence:
        """Several passages are read without their continuations, as in training."""
        alone = len(passages) == 1
        return self._lm.read(question, [(one.title, one.window if alone else one.text) for one in passages])

    def _judged(
        self, candidates: Sequence[Candidate], evidence: ReadEvidence, passages: Sequence[Passage]
    ) -> list[Candidate]:
        """Every candidate with the opinion of the model that read the best passages together."""
        answers = list(dict.fromkeys(one.answer for one in candidates))
        scored = dict(zip(answers, evidence.score(answers), strict=True))
        return [
            replace(one, opinion=_opinion(scored[one.answer], one.passage, passages)) for one in candidates
        ]


def _opinion(scored: Written, passage: Passage, read: Sequence[Passage]) -> Opinion:
    here = [
        (span.shifted(passage.span.start), probability)
        for number, span, probability in scored.pointed.spans
        if read[number].row == passage.row
    ]
    pointer, pointed = here[0] if here else (None, 0.0)
    return Opinion(scored.logprob, scored.tokens, scored.pointed.null, pointer, pointed)


def _candidates(
    passages: Sequence[Passage], answers: Sequence[Written], *, sampled: bool = False
) -> list[Candidate]:
    """One that is empty, cut off or says that there is no answer gives no candidate."""
    return [
        Candidate(
            answer=tidied(one.text),
            passage=passages[one.pointed.spans[0][0]] if one.pointed.spans else passages[0],
            source=CandidateSource.LM,
            logprob=one.logprob,
            tokens=one.tokens,
            sample=number if sampled else 0,
        )
        for number, one in enumerate(answers, start=1)
        if one.finished and normalise_answer(one.text) not in ("", normalise_answer(NO_ANSWER))
    ]
