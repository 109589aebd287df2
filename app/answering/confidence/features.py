"""What is known of an answer when its confidence is judged: numbers that a calibrator weighs."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.answering.text.answer_score import f1
from app.answering.text.identity import answer_identity
from app.answering.types import BROAD_SOURCES, Candidate, CandidateSource, Reading
from retriever.types import Hit

FloatArray = npt.NDArray[np.float64]

_FLOOR = 1e-4
LEAST_HITS = 10
"""With fewer, as of a few pages or a text handed in, hardly anything competes, and a gap to the next says nothing."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the stages before handed over for one question."""

    hits: Sequence[Hit]
    readings: Sequence[Reading]
    candidates: Sequence[Candidate]


def features(evidence: Evidence, cited: Sequence[tuple[Candidate, float]]) -> FloatArray:
    """A row for each candidate with its support: (cited, len(FEATURES))."""
    view = _View(evidence)
    return feature_rows(
        [[feature(view, candidate, support) for feature in _COLUMNS.values()] for candidate, support in cited]
    )


def feature_rows(rows: Sequence[Sequence[float]]) -> FloatArray:
    """The rows as one array: (rows, len(FEATURES)).

    Raises:
        ValueError: when a row has not one number for each feature.
    """
    for row in rows:
        if len(row) != len(FEATURES):
            raise ValueError(
                f"A row of features holds {len(FEATURES)} numbers, one for each of {', '.join(FEATURES)}, but this one "
                f"holds {len(row)}; make it with features()."
            )
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(FEATURES))


class _View:
    """The evidence of one question, sorted by answer."""

    def __init__(self, evidence: Evidence) -> None:
        self._pointed: dict[str, float] = {}
        for reading in evidence.readings:
            passage = reading.hit.passage
            for scored in reading.spans:
                answer = answer_identity(passage.text_at(scored.span))
                self._pointed[answer] = self._pointed.get(answer, 0.0) + scored.score
        self._written = [
            candidate.answer
            for candidate in evidence.candidates
            if candidate.source not in {CandidateSource.READER, *BROAD_SOURCES}
        ]
        self._judged: dict[str, float] = {}
        for candidate in evidence.candidates:
            if candidate.opinion is not None:
                answer = answer_identity(candidate.answer)
                self._judged[answer] = max(candidate.opinion.right, self._judged.get(answer, 0.0))
        self._answerable = {reading.hit.passage.row: reading.answerability for reading in evidence.readings}
        self._hits = evidence.hits
        self._scores = {hit.passage.row: hit.score for hit in evidence.hits}

    def pointer(self, candidate: Candidate, _: float) -> float:
        """Logit of the probability that the reader's spans give the answer, over all passages."""
        return _logit(self._pointed.get(answer_identity(candidate.answer), 0.0))

    def lm_agreement(self, candidate: Candidate, _: float) -> float:
        """F1 of the answer and the nearest one of a language model that judges none; 0 when it wrote none."""
        if candidate.opinion is not None:
            return 0.0
        return max((f1(answer, [candidate.answer]) for answer in self._written), default=0.0)

    def retrieval_score(self, candidate: Candidate, _: float) -> float:
        """Of the passage, as its hit has it."""
        return self._scores.get(candidate.passage.row, 0.0)

    def retrieval_gap(self, candidate: Candidate, _: float) -> float:
        """Score of the passage less the best score of another document's, over the first hit's.

        0 where no other document was found, or fewer than ``LEAST_HITS`` in all: there is nothing, or next to nothing,
        that it is better than.
        """
        if len(self._hits) < LEAST_HITS:
            return 0.0
        score = self._scores.get(candidate.passage.row, 0.0)
        elsewhere = [hit.score for hit in self._hits if hit.passage.doc_id != candidate.passage.doc_id]
        top = self._hits[0].score if self._hits else 0.0
        return (score - max(elsewhere, default=score)) / top if top > 0 else 0.0

    def support(self, _: Candidate, support: float) -> float:
        """Of the quote, 0-1."""
        return support

    def lm_logprob(self, candidate: Candidate, _: float) -> float:
        """Mean log-probability of the answer's tokens under the adapted language model; 0 without one."""
        opinion = candidate.opinion
        return 0.0 if opinion is None else opinion.logprob / max(opinion.tokens, 1)

    def lm_right(self, candidate: Candidate, _: float) -> float:
        """Logit of the adapted language model's judgement of the answer; 0 without one."""
        if candidate.opinion is None:
            return 0.0
        return _logit(self._judged.get(answer_identity(candidate.answer), 0.0))

    def answerability(self, candidate: Candidate, _: float) -> float:
        """Logit of how likely the candidate's passage answers, as the reader has it."""
        return _logit(self._answerable.get(candidate.passage.row, 0.0))

    def broad(self, candidate: Candidate, _: float) -> float:
        """Logit of a verdict's or a sentence's own probability (see ``broad_candidates``); 0 of a short answer."""
        return _logit(math.exp(candidate.logprob)) if candidate.source in BROAD_SOURCES else 0.0


_COLUMNS: Mapping[str, Callable[[_View, Candidate, float], float]] = {
    "pointer": _View.pointer,
    "lm_agreement": _View.lm_agreement,
    "retrieval_score": _View.retrieval_score,
    "retrieval_gap": _View.retrieval_gap,
    "support": _View.support,
    "lm_logprob": _View.lm_logprob,
    "lm_right": _View.lm_right,
    "answerability": _View.answerability,
    "broad": _View.broad,
}
"""How each feature is computed from the evidence, a candidate and its support. A new feature is a line here."""
FEATURES = tuple(_COLUMNS)
"""The names of the columns, in their order."""


def _logit(probability: float) -> float:
    kept = min(max(probability, _FLOOR), 1 - _FLOOR)
    return math.log(kept / (1 - kept))
