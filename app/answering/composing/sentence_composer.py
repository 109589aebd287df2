"""Composing: a long answer of sentences that stand in the passage, each with its own citation."""

import re
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from operator import eq

import numpy as np

from app.answering.answer_kind import AnswerKind
from app.answering.composing.completion import completion, labels, within_reach
from app.answering.evidence import likelihood
from app.answering.types import Citation, CitedAnswer, CitedCandidate, Quote, ScoredSpan
from common.deadline import Deadline
from common.errors import DeadlineExceededError
from retriever.encoder import Encoder, encode_in_turn, passage_input
from retriever.text.folding import shown
from retriever.text.units import Unit, quotable_spans
from retriever.types import BlockKind, Document, Span

FURTHER_SENTENCES = 2
FURTHEST_BELOW = 0.15
SENTENCES_LOOKED_AT = 48
LEAST_EVIDENT = 0.5
MOST_EVIDENT = 10
_FINISHED = re.compile(r"[.!?:;…][^\w\s]*$")


class SentenceComposer:
    """Joins the sentences that back the short answer and further ones that answer, as they stand.

    Where the document has steps, rows or lines, these count as sentences (see ``retriever.text.units``), headings do
    not. Where steps, rows or code of several sections are chosen, such as of tabs, their headings come with them.

    It extracts and writes nothing but yes or no: a language model this small is not trusted with prose. Further
    sentences are those of passage and continuation that the reader takes for evidence. Where no reader says, they are
    those nearest to the question, by the cosine with "title, sentence" (see ``passage_input``): at most ``further``,
    none whose cosine is more than ``below`` under the best sentence's. None is prose of a section beside that of what
    backs the answer. What completes them comes with them, also from behind passage and continuation (see
    ``completion``). One that announces what comes ("as follows:") stands only before what it announces. Lines of code
    that follow each other are one quote.

    The confidence stays that of the short answer. The sentences that back it share the support of the quote that
    they are of. A further sentence is its own claim, which it backs word for word; what can be doubted is whether
    it is to the point, so its support is how likely it is evidence, or its cosine, negative ones as 0. What completes
    a sentence has the support of that.
    """

    def __init__(
        self, encoder: Encoder, *, further: int = FURTHER_SENTENCES, below: float = FURTHEST_BELOW
    ) -> None:
        self._encoder, self._further, self._below = encoder, further, below

    def compose(
        self,
        question: str,
        answer: CitedAnswer,
        document: Document,
        *,
        cited: Sequence[CitedCandidate] = (),  # noqa: ARG002 - the document's own sentences alone
        evidence: Sequence[ScoredSpan] = (),
        deadline: Deadline,
    ) -> CitedAnswer:
        window = answer.passage.window_span
        # as readers and citers have them, who know the window alone; the last one may be cut where the window ends
        sentences = quotable_spans(document, window, headings=False)
        units = within_reach(document, window)
        backing = _backing(answer.citations, sentences)
        starting = {unit.span.start: unit for unit in units}
        near = _not_beside(sentences, backing, starting)
        further = (
            _evident(evidence, near, backing)
            if evidence
            else self._near(question, near, backing, document, deadline)
        )
        supports = {**further, **backing}
        completing = completion(supports, backing, units, document.text)
        supports |= {span: supports[of] for span, of in completing.items()}
        spans = _without_stranded(supports, further, sentences, document.text)
        labelling = labels(spans, units)
        supports |= {span: supports[of] for span, of in labelling.items()}
        spans = sorted({*spans, *labelling})
        citations = tuple(
            Citation.of(
                Quote(document, Span(run[0].start, run[-1].end)),
                support=max(supports[span] for span in run),
                further=not any(span in backing for span in run),
            )
            for run in _with_code_whole(spans, units)
        )
        return replace(answer, answer=_text(answer, citations, starting, document.text), citations=citations)

    def _near(
        self,
        question: str,
        sentences: Sequence[Span],
        backing: Mapping[Span, float],
        document: Document,
        deadline: Deadline,
    ) -> dict[Span, float]:
        """The further sentences near the question; none when there is no time."""
        try:
            return self._nearest(question, _about(backing, sentences), backing, document, deadline)
        except DeadlineExceededError:
            return {}

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


def _text(answer: CitedAnswer, citations: Sequence[Citation], starting: Mapping[int, Unit], text: str) -> str:
    """The quotes as one text, after yes or no where that was asked for: sentences follow each other.

    All else is a line of its own, and all of a list, and what follows on words without a full stop or the like. Code
    keeps its indentation. ``starting``: the units of the document's ``text``, by where each begins.
    """
    parts = [(True, f"{answer.short_answer}.")] if answer.kind is AnswerKind.YES_NO else []
    for citation in citations:
        unit = starting.get(citation.span.start)
        kind = None if unit is None else unit.kind
        if kind is BlockKind.CODE:
            parts.append((False, _code(text, citation.span)))
            continue
        quote = shown(citation.quote)
        lines = [quote] if kind is BlockKind.PARAGRAPH else quote.splitlines()
        flows = kind is BlockKind.PARAGRAPH and answer.kind is not AnswerKind.LIST
        parts.append((flows, "\n".join(" ".join(line.split()) for line in lines)))
    told = [part for _, part in parts[:1]]
    for (flowed, before), (flows, part) in pairwise(parts):
        told += [" " if flowed and flows and _FINISHED.search(before) else "\n", part]
    return "".join(told)


def _code(text: str, span: Span) -> str:
    """The lines of code as they stand in the text, less the indentation that all of them have."""
    before = text[text.rfind("\n", 0, span.start) + 1 : span.start]
    whole = (before if before.isspace() else "") + span.of(text)
    return textwrap.dedent("\n".join(shown(line).rstrip() for line in whole.splitlines()))


def _with_code_whole(spans: Sequence[Span], units: Sequence[Unit]) -> list[list[Span]]:
    """The spans, in order, lines of code that follow each other together."""
    following = {
        first.span: second.span
        for first, second in pairwise(units)
        if first.kind is second.kind is BlockKind.CODE and first.number == second.number
    }
    runs: list[list[Span]] = []
    for span in spans:
        if runs and following.get(runs[-1][-1]) == span:
            runs[-1].append(span)
        else:
            runs.append([span])
    return runs


def _not_beside(
    sentences: Sequence[Span], backing: Collection[Span], starting: Mapping[int, Unit]
) -> list[Span]:
    """The sentences without the prose of sections beside those that back the answer.

    It is about something else, which its heading alone may tell. Left are what stands in such a section, in a part of
    it or above it, and steps, rows and code, which come with their headings (see ``labels``). ``starting``: the units,
    by where each begins.
    """
    answering = {starting[span.start].path if span.start in starting else () for span in backing}
    return [
        sentence
        for sentence in sentences
        for unit in [starting.get(sentence.start)]
        if unit is None
        or unit.kind is not BlockKind.PARAGRAPH
        or any(all(map(eq, unit.path, other)) for other in answering)
    ]


def _evident(
    evidence: Sequence[ScoredSpan], sentences: Sequence[Span], backing: Mapping[Span, float]
) -> dict[Span, float]:
    """The sentences that are likelier evidence than not, with how likely; the likeliest where they are many."""
    likely: dict[Span, float] = {}
    for sentence in sentences:
        score = likelihood(sentence, evidence)
        if score >= LEAST_EVIDENT and sentence not in backing:
            likely[sentence] = score
    kept = sorted(likely, key=lambda span: (-likely[span], span))[:MOST_EVIDENT]
    return {span: likely[span] for span in kept}


def _without_stranded(
    spans: Collection[Span], further: Collection[Span], sentences: Sequence[Span], text: str
) -> list[Span]:
    """The spans, in order, without further ones that announce something which does not follow."""
    following = dict(pairwise(sentences))
    alone = {span for span in further if span.of(text).endswith(":") and following.get(span) not in spans}
    return sorted(set(spans) - alone)


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
