"""Answers beyond a few words, from what the reader found: yes or no, and sentences, steps or rows that answer."""

from collections.abc import Sequence

from app.answering.answer_kind import AnswerKind
from app.answering.generators.found_answers import found_candidate
from app.answering.types import BroadReading, Candidate, CandidateSource, Reading
from retriever.text.folding import shown

YES, NO = "Yes", "No"
LEAST_CERTAIN = 0.65
"""Of a verdict; docs/decisions/0035-the-reader-says-what-is-asked-for.md"""


def broad_candidates(kind: AnswerKind, readings: Sequence[Reading]) -> list[Candidate]:
    """One candidate for each passage that was read closely, in their order.

    Its pointer is the sentence, step or row that answers best, its probability that the passage answers, times that
    the verdict is right, or that the sentence is among what answers. Where yes or no is asked for and the reader is not
    ``LEAST_CERTAIN`` of either, the sentence stands for itself.
    """
    return [
        _candidate(kind, reading, broad)
        for reading in readings
        if (broad := reading.broad) is not None and broad.evidence
    ]


def _candidate(kind: AnswerKind, reading: Reading, broad: BroadReading) -> Candidate:
    best = max(broad.evidence, key=lambda scored: (scored.score, -scored.span.start))
    answer, certain = (YES, broad.yes) if broad.yes >= 0.5 else (NO, 1 - broad.yes)
    if kind is AnswerKind.YES_NO and certain >= LEAST_CERTAIN:
        source = CandidateSource.VERDICT
    else:
        source, certain = CandidateSource.EVIDENCE, best.score
        answer = " ".join(shown(reading.hit.passage.text_at(best.span)).split())
    return found_candidate(reading, answer, source, best.span, reading.answerability * certain)
