"""Support: how well title and quote back the claim for this question, and nothing else counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from app.answering.text.overlap import Overlap
from retriever.encoder import Encoder, FloatArray, passage_input


@dataclass(frozen=True, slots=True)
class Claim:
    """What a support scorer sees of an answer (GopherCite's reward model, section 2.5: the same four)."""

    question: str
    answer: str
    title: str
    quote: str


class SupportScorer(Protocol):
    """What the pipeline needs of a support scorer."""

    def score(self, claims: Sequence[Claim]) -> list[float]:
        """Support of each claim, 0-1."""


class LexicalSupport:
    """An untrained scorer: ``answered x mean(asked, cosine)``.

    - answered: how much of the answer the quote holds (see ``Overlap.answered``);
    - asked: share of the question's words that title, quote or answer hold, weighted by idf;
    - cosine: of the question and the answer together with title and quote, negative ones as 0.
    """

    identity = "LexicalSupport"
    """What a calibrator and a prediction file record in place of a digest of weights. Shipped calibrators name it."""

    def __init__(self, overlap: Overlap, encoder: Encoder) -> None:
        self._overlap, self._encoder = overlap, encoder

    def score(self, claims: Sequence[Claim]) -> list[float]:
        if not claims:
            return []
        asked = _of_each(
            self._encoder.encode_queries, [f"{claim.question} {claim.answer}" for claim in claims]
        )
        quoted = _of_each(
            self._encoder.encode_passages, [passage_input(claim.title, claim.quote) for claim in claims]
        )
        # both (claims, dimension): row by row
        cosines = np.clip(np.sum(asked * quoted, axis=1), 0.0, 1.0)
        return [self._support(claim, float(cosine)) for claim, cosine in zip(claims, cosines, strict=True)]

    def _support(self, claim: Claim, cosine: float) -> float:
        answered = self._overlap.answered(self._overlap.weights(claim.answer), claim.title, claim.quote)
        asked = self._overlap.covered(
            self._overlap.weights(claim.question), f"{claim.title}\n{claim.quote}\n{claim.answer}"
        )
        return answered * (asked + cosine) / 2


def _of_each(encode: Callable[[Sequence[str]], FloatArray], texts: Sequence[str]) -> FloatArray:
    """The vector of each text, (texts, dimension); what several share is encoded once."""
    different = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    vectors: FloatArray = encode(list(different))[[different[text] for text in texts]]
    return vectors
