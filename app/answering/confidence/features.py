"""What is known of an answer when its confidence is judged: numbers that a calibrator weighs."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from app.answering.evidence import likelihood
from app.answering.text.answer_score import f1
from app.answering.text.identity import answer_identity
from app.answering.types import BROAD_SOURCES, Candidate, CandidateSource, Reading
from retriever.text.folding import fold
from retriever.types import Hit

FloatArray = npt.NDArray[np.float64]

_FLOOR = 1e-4
_WORD = re.compile(r"\w+")
LEAST_HITS = 10
"""With fewer, as of a few pages or a text handed in, hardly anything competes, and a gap to the next says nothing."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the stages before handed over for one question."""

    question: str
    hits: Sequence[Hit]
    readings: Sequence[Reading]
    candidates: Sequence[Candidate]


@dataclass(frozen=True, slots=True)
class Backed:
    """A candidate with all that is quoted for it, and how well that supports it (0-1)."""

    candidate: Candidate
    quoted: str
    support: float

    @classmethod
    def of(cls, candidate: Candidate, quotes: Iterable[str], support: float) -> Self:
        """``quotes``: the texts that are quoted for it, in order."""
        return cls(candidate, " ".join(quotes), support)


def features(evidence: Evidence, backed: Sequence[Backed]) -> FloatArray:
    """A row for each candidate: (backed, len(FEATURES))."""
    view = _View(evidence)
    return feature_rows([[feature(view, one) for feature in _COLUMNS.values()] for one in backed])


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
        self._told = {
            reading.hit.passage.row: reading.broad.evidence
            for reading in evidence.readings
            if reading.broad is not None
        }
        self._asked = _words(evidence.question)
        self._hits = evidence.hits
        self._scores = {hit.passage.row: hit.score for hit in evidence.hits}

    def pointer(self, one: Backed) -> float:
        """Logit of the probability that the reader's spans give the answer, over all passages."""
        return _logit(self._pointed.get(answer_identity(one.candidate.answer), 0.0))

    def lm_agreement(self, one: Backed) -> float:
        """F1 of the answer and the nearest one of a language model that judges none; 0 when it wrote none."""
        if one.candidate.opinion is not None:
            return 0.0
        return max((f1(answer, [one.candidate.answer]) for answer in self._written), default=0.0)

    def retrieval_score(self, one: Backed) -> float:
        """Of the passage, as its hit has it."""
        return self._scores.get(one.candidate.passage.row, 0.0)

    def retrieval_gap(self, one: Backed) -> float:
        """Score of the passage less the best score of another document's, over the first hit's.

        0 where no other document was found, or fewer than ``LEAST_HITS`` in all: there is nothing, or next to nothing,
        that it is better than.
        """
        if len(self._hits) < LEAST_HITS:
            return 0.0
        score = self._scores.get(one.candidate.passage.row, 0.0)
        elsewhere = [hit.score for hit in self._hits if hit.passage.doc_id != one.candidate.passage.doc_id]
        top = self._hits[0].score if self._hits else 0.0
        return (score - max(elsewhere, default=score)) / top if top > 0 else 0.0

    def support(self, one: Backed) -> float:
        """Of the quote, 0-1."""
        return one.support

    def lm_logprob(self, one: Backed) -> float:
        """Mean log-probability of the answer's tokens under the adapted language model; 0 without one."""
        opinion = one.candidate.opinion
        return 0.0 if opinion is None else opinion.logprob / max(opinion.tokens, 1)

    def lm_right(self, one: Backed) -> float:
        """Logit of the adapted language model's judgement of the answer; 0 without one."""
        if one.candidate.opinion is None:
            return 0.0
        return _logit(self._judged.get(answer_identity(one.candidate.answer), 0.0))

    def answerability(self, one: Backed) -> float:
        """Logit of how likely the candidate's passage answers, as the reader has it."""
        return _logit(self._answerable.get(one.candidate.passage.row, 0.0))

    def broad(self, one: Backed) -> float:
        """Logit of a verdict's or a sentence's own probability (see ``broad_candidates``); 0 of a short answer."""
        return _logit(math.exp(one.candidate.logprob)) if one.candidate.source in BROAD_SOURCES else 0.0

    def answerability_gap(self, one: Backed) -> float:
        """Logit of how likely the candidate's passage answers, less that of the likeliest other passage.

        0 where no other was read.
        """
        row = one.candidate.passage.row
        others = [_logit(answers) for other, answers in self._answerable.items() if other != row]
        mine = _logit(self._answerable.get(row, 0.0))
        return mine - max(others, default=mine)

    def evidence(self, one: Backed) -> float:
        """Logit of how likely the sentence, step or row that the candidate stands in is among what answers.

        The likeliest of its passage where it points nowhere; 0 where no reader says.
        """
        passage = one.candidate.passage
        told = self._told.get(passage.row)
        return 0.0 if told is None else _logit(likelihood(one.candidate.pointer or passage.window_span, told))

    def coverage(self, one: Backed) -> float:
        """Share of the question's words that stand in the passage's heading or in what is quoted."""
        told = _words(f"{one.candidate.passage.heading} {one.quoted}")
        return len(self._asked & told) / len(self._asked) if self._asked else 0.0


_COLUMNS: Mapping[str, Callable[[_View, Backed], float]] = {
    "pointer": _View.pointer,
    "lm_agreement": _View.lm_agreement,
    "retrieval_score": _View.retrieval_score,
    "retrieval_gap": _View.retrieval_gap,
    "support": _View.support,
    "lm_logprob": _View.lm_logprob,
    "lm_right": _View.lm_right,
    "answerability": _View.answerability,
    "broad": _View.broad,
    "answerability_gap": _View.answerability_gap,
    "evidence": _View.evidence,
    "coverage": _View.coverage,
}
"""How each feature is computed from the evidence and a backed candidate. A new feature is a line here."""
FEATURES = tuple(_COLUMNS)
"""The names of the columns, in their order."""


def _logit(probability: float) -> float:
    kept = min(max(probability, _FLOOR), 1 - _FLOOR)
    return math.log(kept / (1 - kept))


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(fold(text).text.lower()))
