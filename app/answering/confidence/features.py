"""What is known of an answer when its confidence is judged: numbers that a calibrator weighs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.answering.text.answer_score import f1
from app.answering.text.normalise import normalise_answer
from app.answering.types import Candidate, CandidateSource, Reading
from retriever.types import Hit

FloatArray = npt.NDArray[np.float64]

FEATURES = (
    "pointer",
    "lm_agreement",
    "retrieval_score",
    "retrieval_gap",
    "support",
    "lm_logprob",
    "lm_right",
)
"""In the order of the columns:

``pointer``: logit of the probability that the reader's spans give the answer, over all passages.
``lm_agreement``: F1 of the answer and the nearest one of a language model that judges none; 0 when it wrote none.
``retrieval_score``: of the passage, as its hit has it.
``retrieval_gap``: score of the passage less the best score of another document's, over the first hit's.
0 where no other document was found: there is nothing that it is better than.
``support``: of the quote, 0-1.
``lm_logprob``: mean log-probability of the answer's tokens under the adapted language model; 0 without one.
``lm_right``: logit of its judgement of the answer; 0 without one.
"""

_FLOOR = 1e-4


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the stages before handed over for one question."""

    hits: Sequence[Hit]
    readings: Sequence[Reading]
    candidates: Sequence[Candidate]


def features(evidence: Evidence, cited: Sequence[tuple[Candidate, float]]) -> FloatArray:
    """A row for each candidate with its support: (cited, len(FEATURES))."""
    view = _View(evidence)
    rows = [view.row(candidate, support) for candidate, support in cited]
    return np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES))


class _View:
    """The evidence of one question, sorted by answer."""

    def __init__(self, evidence: Evidence) -> None:
        self._pointed: dict[str, float] = {}
        for reading in evidence.readings:
            passage = reading.hit.passage
            for scored in reading.spans:
                answer = normalise_answer(scored.span.shifted(-passage.span.start).of(passage.window))
                self._pointed[answer] = self._pointed.get(answer, 0.0) + scored.score
        self._written = [
            one.answer for one in evidence.candidates if one.source is not CandidateSource.READER
        ]
        self._judged: dict[str, float] = {}
        for one in evidence.candidates:
            if one.opinion is not None:
                answer = normalise_answer(one.answer)
                self._judged[answer] = max(one.opinion.right, self._judged.get(answer, 0.0))
        self._hits = evidence.hits
        self._scores = {hit.passage.row: hit.score for hit in evidence.hits}

    def row(self, candidate: Candidate, support: float) -> list[float]:
        answer = normalise_answer(candidate.answer)
        agreement, logprob, right = self._of_the_language_model(candidate, answer)
        return [
            _logit(self._pointed.get(answer, 0.0)),
            agreement,
            self._scores.get(candidate.passage.row, 0.0),
            self._gap(candidate),
            support,
            logprob,
            right,
        ]

    def _of_the_language_model(self, candidate: Candidate, answer: str) -> tuple[float, float, float]:
        """Its agreement where it judges nothing, else its log-probability and its judgement."""
        opinion = candidate.opinion
        if opinion is None:
            return max((f1(one, [candidate.answer]) for one in self._written), default=0.0), 0.0, 0.0
        return 0.0, opinion.logprob / max(opinion.tokens, 1), _logit(self._judged.get(answer, 0.0))

    def _gap(self, candidate: Candidate) -> float:
        mine = self._scores.get(candidate.passage.row, 0.0)
        elsewhere = [hit.score for hit in self._hits if hit.passage.doc_id != candidate.passage.doc_id]
        top = self._hits[0].score if self._hits else 0.0
        return (mine - max(elsewhere, default=mine)) / top if top > 0 else 0.0


def _logit(probability: float) -> float:
    kept = min(max(probability, _FLOOR), 1 - _FLOOR)
    return math.log(kept / (1 - kept))
