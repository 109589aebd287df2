"""The reader that has learnt to read: a cross-encoder judges the best passages and points at answers in them."""

import math
from collections.abc import Sequence

from app.answering.answer_kind import AnswerKind
from app.answering.cross_encoders.reader_model import Judgement, ReaderModel
from app.answering.text.question_form import kinds_told_by
from app.answering.text.superlative import superlatives, tells_lower_ranks_alone
from app.answering.types import BroadReading, Reading, ScoredSpan
from common.deadline import NO_DEADLINE, Deadline
from retriever.text.units import quotable_spans_of
from retriever.types import Hit

PASSAGES_READ = 8
PRIOR_STRENGTH = 20.0


class TrainedReader:
    """Reads the best ``passages`` hits; further ones come after them, with answerability 0 and without spans.

    One that tells of a lower rank than is asked for ("the fourth-largest" for "the largest") comes after all others, so
    it is read where these are few.
    A passage is read whole, however long it makes the sequence; of its continuation, what fits into the usual length.

    A reading's spans are short answers, in characters of the document; their scores are probabilities that
    compare across the question's passages. Its answerability is the model's, with retrieval's score as prior: the
    log-odds that a passage answers fall by ``PRIOR_STRENGTH`` times the share of the best score that it lacks.
    """

    def __init__(self, model: ReaderModel, *, passages: int = PASSAGES_READ) -> None:
        self._model, self._passages = model, passages

    @property
    def sha256(self) -> str:
        """Hex digest of the weights."""
        return self._model.sha256

    def read(self, question: str, hits: Sequence[Hit], *, deadline: Deadline = NO_DEADLINE) -> list[Reading]:
        best, others = _those_to_read(question, hits, self._passages)
        judged = judged_passages(self._model, question, best, deadline)
        top = max((hit.score for hit in best), default=0.0)
        readings = [_reading(hit, judgement, top) for hit, judgement in zip(best, judged, strict=True)]
        readings.sort(key=lambda reading: (-reading.answerability, reading.hit.rank))
        return readings + [Reading(hit, answerability=0.0, spans=()) for hit in others]


def _those_to_read(question: str, hits: Sequence[Hit], count: int) -> tuple[list[Hit], list[Hit]]:
    """The hits to read, and the others, each in their order."""
    # "is K2 the highest mountain": there the lower rank is the answer
    yes_or_no = AnswerKind.YES_NO in kinds_told_by(question)
    asked = frozenset[str]() if yes_or_no else superlatives(question)
    ranked = sorted(hits, key=lambda hit: tells_lower_ranks_alone(asked, hit.passage.window))
    return sorted(ranked[:count], key=lambda hit: hit.rank), sorted(ranked[count:], key=lambda hit: hit.rank)


def judged_passages(
    model: ReaderModel, question: str, hits: Sequence[Hit], deadline: Deadline
) -> list[Judgement]:
    """The model's judgement of each hit: its passage is read whole, its continuation as far as it fits."""
    return model.judge(
        question,
        [(hit.passage.heading, hit.passage.window) for hit in hits],
        whole=[len(hit.passage.text) for hit in hits],
        deadline=deadline,
    )


def _reading(hit: Hit, judgement: Judgement, best_score: float) -> Reading:
    lacking = 1 - hit.score / best_score if best_score > 0 else 0.0
    return Reading(
        hit,
        answerability=_with_prior(judgement.answerability, lacking),
        spans=in_document(hit, judgement),
        broad=broad_in_document(hit, judgement),
    )


def in_document(hit: Hit, judgement: Judgement) -> tuple[ScoredSpan, ...]:
    """The spans that were found in the hit's window, in characters of its document."""
    start = hit.passage.span.start
    return tuple(ScoredSpan(span.shifted(start), probability) for span, probability in judgement.spans)


def broad_in_document(hit: Hit, judgement: Judgement) -> BroadReading | None:
    """What a broad model makes of the hit, its sentences in characters of the document."""
    broad = judgement.broad
    if broad is None:
        return None
    units = quotable_spans_of(hit.passage.window)
    start = hit.passage.span.start
    evidence = tuple(ScoredSpan(unit.shifted(start), broad.evidence(unit)) for unit in units)
    return BroadReading(broad.kinds, broad.yes, evidence)


def _with_prior(answerability: float, lacking: float) -> float:
    """``lacking``: the share of the best score that the hit lacks, 0 or more."""
    against = math.exp(min(PRIOR_STRENGTH * lacking, 700.0))  # no overflow
    return answerability / (answerability + against * (1 - answerability))
