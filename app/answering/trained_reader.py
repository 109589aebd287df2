"""The reader that has learnt to read: a cross-encoder judges the best passages and points at answers in them."""

from collections.abc import Sequence

from app.answering.reader_model import Judgement, ReaderModel
from app.answering.types import Reading, ScoredSpan
from retriever.types import Hit

PASSAGES_READ = 8


class TrainedReader:
    """Reads the best ``passages`` hits; further ones come after them, with answerability 0 and without spans.

    A reading's spans are short answers, in characters of the document; their scores are probabilities that
    compare across the question's passages. Its answerability is the model's, with the rank as prior: the odds
    that a passage answers fall as 1/rank.
    """

    def __init__(self, model: ReaderModel, *, passages: int = PASSAGES_READ) -> None:
        self._model, self._passages = model, passages

    @property
    def sha256(self) -> str:
        """Hex digest of the weights."""
        return self._model.sha256

    def read(self, question: str, hits: Sequence[Hit]) -> list[Reading]:
        best, others = hits[: self._passages], hits[self._passages :]
        judged = self._model.judge(question, [(hit.passage.title, hit.passage.window) for hit in best])
        readings = [_reading(hit, judgement) for hit, judgement in zip(best, judged, strict=True)]
        readings.sort(key=lambda reading: (-reading.answerability, reading.hit.rank))
        return readings + [Reading(hit, answerability=0.0, spans=()) for hit in others]


def _reading(hit: Hit, judgement: Judgement) -> Reading:
    start = hit.passage.span.start
    spans = tuple(ScoredSpan(span.shifted(start), probability) for span, probability in judgement.spans)
    return Reading(hit, answerability=_with_prior(judgement.answerability, hit.rank), spans=spans)


def _with_prior(answerability: float, rank: int) -> float:
    """Odds divided by the rank."""
    return answerability / (answerability + rank * (1 - answerability))
