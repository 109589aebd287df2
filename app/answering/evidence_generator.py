"""Answers by an adapted language model: it reads the best passages together, writes, and judges every answer."""

from collections.abc import Sequence
from dataclasses import replace

from app.answering.evidence_input import NO_ANSWER
from app.answering.evidence_lm import EvidenceLM, ReadEvidence, Written
from app.answering.generator import ANSWER_TOKENS, TEMPERATURE, ReaderGenerator, answers, tidied
from app.answering.types import Candidate, CandidateSource, Opinion, Reading
from retriever.types import Passage

PASSAGES_TOGETHER = 2


class EvidenceGenerator:
    """The reader's answers and the language model's, each with the language model's opinion.

    ``quoting``: the language model writes GopherCite's syntax under a mask, so that its answers bring quotes of their
    own. ``reader``: None for the language model's answers alone. ``together``: passages that the language model reads
    at once, the best ones. When one answer is wanted it writes one from those; further ones come from single
    passages, best first, then from samples (GopherCite, section 2.3: candidates from different documents, more
    samples than documents).
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
        scored = _by_text(evidence.score(_distinct(extracted)))
        if self._quoting:
            written = self._quoted(question, best, deadline)
        else:
            greedy = evidence.write(max_tokens=ANSWER_TOKENS, deadline=deadline)
            scored = {**_by_text(greedy), **scored}
            written = _candidates(best, greedy)
        for passage in passages[1:n]:
            written += self._written(question, passage, deadline)
        if n > len(passages):
            sampled = evidence.write(
                n - len(passages),
                max_tokens=ANSWER_TOKENS,
                temperature=TEMPERATURE,
                seed=seed,
                deadline=deadline,
            )
            written += _candidates(best, sampled, sampled=True)
        candidates = [*extracted, *written]
        missing = [answer for answer in _distinct(candidates) if answer not in scored]
        scored |= _by_text(evidence.score(missing))
        return [replace(one, opinion=_opinion(scored[one.answer], one.passage, best)) for one in candidates]

    def _written(self, question: str, passage: Passage, deadline: float | None) -> list[Candidate]:
        """The greedy answer from one passage."""
        if self._quoting:
            return self._quoted(question, [passage], deadline)
        found = self._read(question, [passage]).write(max_tokens=ANSWER_TOKENS, deadline=deadline)
        return _candidates([passage], found)

    def _quoted(self, question: str, passages: Sequence[Passage], deadline: float | None) -> list[Candidate]:
        """The greedy answer with the quote that it wrote."""
        found = self._read(question, passages, quoted=True).write_quoted(deadline=deadline)
        if found is None or not found.finished or not answers(found.claim, no_answer=NO_ANSWER):
            return []
        passage = passages[found.passage]
        return [
            Candidate(
                answer=tidied(found.claim),
                passage=passage,
                source=CandidateSource.CONSTRAINED,
                logprob=found.logprob,
                tokens=found.tokens,
                pointer=found.span.shifted(passage.span.start),
            )
        ]

    def _read(self, question: str, passages: Sequence[Passage], *, quoted: bool = False) -> ReadEvidence:
        """Several passages are read without their continuations, as in training."""
        alone = len(passages) == 1
        windows = [(one.title, one.window if alone else one.text) for one in passages]
        return self._lm.read(question, windows, quoted=quoted)


def _by_text(written: Sequence[Written]) -> dict[str, Written]:
    return {one.text: one for one in written if one.finished}


def _distinct(candidates: Sequence[Candidate]) -> list[str]:
    return list(dict.fromkeys(one.answer for one in candidates))


def _opinion(scored: Written, passage: Passage, read: Sequence[Passage]) -> Opinion:
    here = [
        (span.shifted(passage.span.start), probability)
        for number, span, probability in scored.pointed.spans
        if read[number].row == passage.row
    ]
    pointer, pointed = here[0] if here else (None, 0.0)
    return Opinion(scored.logprob, scored.tokens, scored.pointed.null, pointer, pointed)


def _candidates(
    passages: Sequence[Passage], written: Sequence[Written], *, sampled: bool = False
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
        for number, one in enumerate(written, start=1)
        if one.finished and answers(one.text, no_answer=NO_ANSWER)
    ]
