"""Composing: a long answer of sentences that stand in the passage, each with its own citation."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from app.answering.types import Citation, CitedAnswer, Quote
from common.deadline import Deadline
from common.errors import DeadlineExceededError
from retriever.encoder import Encoder, encode_in_turn, passage_input
from retriever.folding import shown
from retriever.types import Document, Span
from retriever.units import quotable_spans

FURTHER_SENTENCES = 2
FURTHEST_BELOW = 0.15
SENTENCES_LOOKED_AT = 48


class Composer(Protocol):
    """What the pipeline needs of a composer."""

    def compose(
        self, question: str, answer: CitedAnswer, document: Document, *, deadline: Deadline
    ) -> CitedAnswer:
        """The short answer in several sentences. ``document``: the one that ``answer.passage`` is of.

        ``deadline``: when it is over, what backs the short answer is all there is.
        """


class SentenceComposer:
    """Joins the sentences that back the short answer and the further ones nearest to the question, as they stand.

    Where the document has steps, rows or lines, these count as sentences (see ``retriever.units``).

    It extracts and writes nothing: a language model this small is not trusted with prose. Nearness is the cosine of
    the question with "title, sentence" (see ``passage_input``). Of the other sentences of passage and continuation,
    at most ``further`` are added, nearest first, none whose cosine is more than ``below`` under the best sentence's.

    The confidence stays that of the short answer. The sentences that back it share the support of the quote that
    they are of. A further sentence is its own claim, which it backs word for word; what can be doubted is whether
    it is to the point, so its support is its cosine, negative ones as 0.
    """

    def __init__(
        self, encoder: Encoder, *, further: int = FURTHER_SENTENCES, below: float = FURTHEST_BELOW
    ) -> None:
        self._encoder, self._further, self._below = encoder, further, below

    def compose(
        self, question: str, answer: CitedAnswer, document: Document, *, deadline: Deadline
    ) -> CitedAnswer:
        passage = answer.passage
        sentences = quotable_spans(document, passage.window_span)
        backing = _backing(answer.citations, sentences)
        try:
            further = self._nearest(question, _about(backing, sentences), backing, document, deadline)
        except DeadlineExceededError:
            further = {}
        supports = {**further, **backing}
        citations = tuple(
            Citation.of(Quote(document, span), support=supports[span], further=span in further)
            for span in sorted(supports)
        )
        text = " ".join(" ".join(shown(citation.quote).split()) for citation in citations)
        return replace(answer, answer=text, citations=citations)

    def _nearest(
        self,
        question: str,
        sentences: Sequence[Span],
        backing: Mapping[Span, float],
        document: Document,
        deadline: Deadline,
    ) -> dict[Span, float]:
        """The further sentences with their support."""
        others = [span for span in sentences if span not in backing]
        if not others:
            return {}
        cosines = dict(zip(sentences, self._cosines(question, sentences, document, deadline), strict=True))
        least = max(cosines.values()) - self._below
        nearest = sorted(others, key=lambda span: (-cosines[span], span))[: self._further]
        return {span: min(max(cosines[span], 0.0), 1.0) for span in nearest if cosines[span] >= least}

    def _cosines(
        self, question: str, sentences: Sequence[Span], document: Document, deadline: Deadline
    ) -> list[float]:
        asked = self._encoder.encode_queries([question])[0]
        # (sentences, dimension)
        told = encode_in_turn(
            self._encoder,
            [passage_input(document.title, span.of(document.text)) for span in sentences],
            lambda: deadline.check("compose"),
        )
        return [float(cosine) for cosine in np.sum(told * asked, axis=1)]


def _about(backing: Mapping[Span, float], sentences: Sequence[Span]) -> list[Span]:
    """The 48 sentences that stand nearest to the first one that backs the answer, in order."""
    first = min(backing)
    nearest = sorted(sentences, key=lambda span: (abs(span.start - first.start), span))
    return sorted(nearest[:SENTENCES_LOOKED_AT])


def _backing(citations: Sequence[Citation], sentences: Sequence[Span]) -> dict[Span, float]:
    """The sentences that the citations touch with the support of those; what touches none stays as it is."""
    supports: dict[Span, float] = {}
    for citation in citations:
        touched = [sentence for sentence in sentences if sentence.touches(citation.span)]
        for span in touched or [citation.span]:
            supports[span] = max(citation.support, supports.get(span, 0.0))
    return supports
