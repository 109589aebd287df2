"""What a claim is judged by: the real text that its quote comes from, or the passages cited that say most of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quote_check.check import Finding, Verdict
from quote_check.folding import folded
from quote_check.searched_text import SearchedText, rarest, words
from retriever.text.units import quotable_spans
from retriever.types import Document, Span

REGIONS = 2
"""Of a cited document, how many passages a claim may be backed by."""

_REGION_WORDS = 80
_AROUND = 600  # characters on each side in which whole sentences are looked for
_LONGEST = 1_200  # characters that are judged at once
_RARE_WORDS = 24
_PLACES = 200
_BACKING = (Verdict.VERBATIM, Verdict.NEARLY, Verdict.FROM_ANOTHER_DOCUMENT)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Real text that a claim is judged by: what stands at ``span`` of the document, whole sentences where it can be."""

    document: Document
    span: Span

    @property
    def text(self) -> str:
        """The characters."""
        return self.span.of(self.document.text)


def evidence_of(claim: str, findings: Sequence[Finding], cited: Sequence[SearchedText]) -> list[Evidence]:
    """What may back a claim: where its quotes stand; without a quote that stands anywhere, passages of what it cites.

    None where there is neither.
    """
    found = [
        Evidence(finding.found.document, _whole_sentences(finding.found.document, span))
        for finding in findings
        if finding.found is not None and finding.verdict in _BACKING
        for span in finding.found.spans
    ]
    if found:
        return list({(each.document.doc_id, each.span): each for each in found}.values())
    return [
        Evidence(searched.document, _whole_sentences(searched.document, span))
        for searched in cited
        for span in _regions(claim, searched)
    ]


def _regions(claim: str, searched: SearchedText) -> list[Span]:
    """The runs of about 80 words that have the most of the claim's words, the rarest counting most."""
    standing, claimed = searched.words, words(folded(claim))
    places: list[int] = []
    weights: list[float] = []
    of: list[int] = []  # which of the words stands there
    for number, word in enumerate(rarest(claimed, standing, most=_RARE_WORDS)):
        at = standing.positions(word)
        if len(at) > _PLACES:
            at = at[np.linspace(0, len(at) - 1, _PLACES).astype(np.int64)]
        places += at.tolist()
        weights += [float(np.log1p(len(standing) / len(at)))] * len(at)
        of += [number] * len(at)
    order = sorted(range(len(places)), key=lambda each: places[each])
    scored = []
    for first in range(len(order)):
        begin = places[order[first]]
        seen: dict[int, float] = {}
        for each in order[first:]:
            if places[each] >= begin + _REGION_WORDS:
                break
            seen[of[each]] = weights[each]
        scored.append((-sum(seen.values()), begin))
    chosen: list[int] = []
    for _, begin in sorted(scored):
        if all(abs(begin - other) >= _REGION_WORDS for other in chosen):
            chosen.append(begin)
        if len(chosen) == REGIONS:
            break
    last = len(standing) - 1
    return [
        searched.stored(int(standing.starts[begin]), int(standing.ends[min(last, begin + _REGION_WORDS)]))
        for begin in chosen
    ]


def _whole_sentences(document: Document, span: Span) -> Span:
    """The sentences, rows or lines that the span touches, cut at a length that is judged at once."""
    window = Span(max(0, span.start - _AROUND), min(len(document.text), span.end + _AROUND))
    touched = [unit for unit in quotable_spans(document, window) if unit.touches(span)]
    if not touched:
        return span
    start, end = touched[0].start, touched[-1].end
    return Span(start, end) if end - start <= max(_LONGEST, len(span)) else span
