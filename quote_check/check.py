"""Checking: is a quote verbatim where it claims to stand, nearly so, from elsewhere, or made up?"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, partial

from common.deadline import NO_DEADLINE, Deadline
from quote_check.corpus import Corpus
from quote_check.difference import difference
from quote_check.folding import Fold, folded
from quote_check.nearest import nearest
from quote_check.searched_text import LEAST_WORDS, SearchedText, words
from quote_check.standing import Sought, standing_in, very_characters
from retriever.types import Document, Span

NEARLY_FROM = 0.9
"""Likeness from which a span counts as what was meant to be quoted."""


class Verdict(StrEnum):
    """What became of a quote."""

    VERBATIM = "verbatim"
    NEARLY = "nearly"
    FROM_ANOTHER_DOCUMENT = "from_another_document"
    FABRICATED = "fabricated"
    TOO_SHORT = "too_short"


class Form(StrEnum):
    """What a quote was told by."""

    QUOTATION_MARKS = "quotation_marks"
    BLOCK_QUOTE = "block_quote"
    HTML = "html"
    FIELD = "field"


@dataclass(frozen=True, slots=True)
class QuoteToCheck:
    """What is said to stand somewhere, unchecked.

    ``document_ids``: of the documents that are cited for it; none: no document is named. ``offsets``: the start and
    end that are claimed in the one document, any two whole numbers; None when no place is claimed. ``span``: where
    the quote stands in the answer; None where it came in a field. ``marks``: those that cite it, as they are written.
    ``unmarked``: the text without the marks inside it; None where it has none.
    """

    text: str
    document_ids: tuple[str, ...] = ()
    offsets: tuple[int, int] | None = None
    form: Form = Form.FIELD
    span: Span | None = None
    marks: tuple[str, ...] = ()
    unmarked: str | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """What may stand in a document: the text without its marks, and as it is written: a document may have marks."""
        return (self.text,) if self.unmarked is None else (self.unmarked, self.text)

    @property
    def too_short(self) -> bool:
        """Whether what stands between quotation marks is a term, a title or irony rather than a quote."""
        in_prose = self.form in (Form.QUOTATION_MARKS, Form.HTML)
        return in_prose and len(words(folded(self.texts[0]))) < LEAST_WORDS


@dataclass(frozen=True, slots=True)
class Found:
    """Real text: what stands at ``spans`` of the document, in code points; one, or one for each part of the quote.

    ``likeness``: 1 where quote and text differ at most in looks, omissions and marked changes.
    """

    document: Document
    spans: tuple[Span, ...]
    likeness: float

    @property
    def exact(self) -> bool:
        """Whether it is one run, so that its characters can be the quote's."""
        return len(self.spans) == 1

    @property
    def texts(self) -> list[str]:
        """What stands at each span."""
        return [span.of(self.document.text) for span in self.spans]


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one quote, with the real span that comes nearest to it.

    ``folds``: what differs where it is verbatim all the same. ``offsets_match``: whether the quote stands at the
    claimed offsets; None when none were claimed. ``unknown``: those of the cited documents that there are not.
    ``found`` is None when nothing is alike, or was not looked for.
    """

    quote: QuoteToCheck
    verdict: Verdict
    reason: str
    found: Found | None = None
    folds: tuple[Fold, ...] = ()
    offsets_match: bool | None = None
    unknown: tuple[str, ...] = field(default=())


def check_quote(
    quote: QuoteToCheck,
    corpus: Corpus,
    *,
    holder: str | None = None,
    deadline: Deadline = NO_DEADLINE,
) -> Finding:
    """The finding on one quote.

    ``holder``: a document that is known to hold the quote's very characters.

    Raises:
        DeadlineExceededError, GivenUpError: when the deadline is over before there is one.
    """
    if quote.too_short:
        return Finding(quote, Verdict.TOO_SHORT, f"it has less than {LEAST_WORDS} words")
    return _Check(quote, corpus, deadline).finding(holder)


def find_holders(quotes: Iterable[QuoteToCheck], corpus: Corpus) -> set[str]:
    """The texts of quotes that no cited document holds exactly: what to look for in all others."""
    waiting = set()
    for quote in quotes:
        named = [corpus.named(doc_id) for doc_id in quote.document_ids]
        cited = [searched.document.text for searched in named if searched is not None]
        if not any(very_characters(text, whole) for text in quote.texts for whole in cited):
            waiting |= {text for text in quote.texts if text.strip()}
    return waiting


class _Check:
    """One quote being checked."""

    def __init__(self, quote: QuoteToCheck, corpus: Corpus, deadline: Deadline) -> None:
        self._quote, self._corpus = quote, corpus
        self._sought, self._go_on = Sought.of(*quote.texts), partial(deadline.check, "check")
        named = {doc_id: corpus.named(doc_id) for doc_id in quote.document_ids}
        self._cited = [text for text in named.values() if text is not None]
        self._unknown = tuple(doc_id for doc_id, text in named.items() if text is None)

    def finding(self, holder: str | None) -> Finding:
        """``holder``: the first document that holds the quote's very characters."""
        if not folded(self._quote.texts[0]):
            return self._of(Verdict.FABRICATED, None, "the quote is empty")
        cited = self._standing(self._cited)
        if cited is not None and cited.verbatim:
            return self._verbatim(cited)
        known = None if holder is None else self._corpus.named(holder)
        elsewhere = self._standing([*([known] if known else []), *self._others])
        if elsewhere is not None and elsewhere.verbatim:
            if self._quote.document_ids:
                reason = f"{self._lack}; another holds it word for word"
                return self._of(Verdict.FROM_ANOTHER_DOCUMENT, elsewhere.found, reason, elsewhere.folds)
            return self._verbatim(elsewhere)
        in_looks = cited or elsewhere
        if in_looks is not None:
            return self._of(Verdict.NEARLY, in_looks.found, "only looks differ, such as capitals")
        return self._near()

    def _verbatim(self, standing: "_Stands") -> Finding:
        reason = (
            "stands word for word in the cited document"
            if self._quote.document_ids
            else "stands word for word"
        )
        if standing.folds:
            reason += f" but for {', '.join(fold.replace('_', ' ') for fold in standing.folds)}"
        if self._offsets_match() is False and self._quote.offsets is not None:
            (start, end), span = self._quote.offsets, standing.found.spans[0]
            reason += f", but at {span.start} to {span.end}, not at {start} to {end}"
        return self._of(Verdict.VERBATIM, standing.found, reason, standing.folds)

    def _standing(self, texts: Iterable[SearchedText]) -> "_Stands | None":
        """Where it stands: verbatim in the first text that has it so, or else in the first that has it in looks."""
        in_looks: _Stands | None = None
        near = self._quote.offsets[0] if self._quote.offsets else 0
        for searched in texts:
            self._go_on()
            places = (very_characters(text, searched.document.text, near) for text in self._quote.texts)
            span = next(filter(None, places), None)
            if span is not None:
                return _Stands(Found(searched.document, (span,), 1.0), (), verbatim=True)
            standing = standing_in(self._sought, searched, self._go_on)
            if standing is None:
                continue
            found = Found(searched.document, standing.spans, 1.0)
            if standing.folds is not None:
                return _Stands(found, tuple(sorted(standing.folds)), verbatim=True)
            in_looks = in_looks or _Stands(found, (), verbatim=False)
        return in_looks

    def _near(self) -> Finding:
        """What it is near to: the cited documents come first, if one of them is near enough."""
        best = self._nearest(self._cited, None)
        if best is None or best.likeness < NEARLY_FROM:
            best = self._nearest(self._others, best) or best
        if best is None or best.likeness < NEARLY_FROM:
            lack = f"{self._lack}; nothing" if self._unknown else "nothing"
            return self._of(Verdict.FABRICATED, best, f"{lack} is as near as {NEARLY_FROM:.0%}")
        how = difference(self._quote.texts[0], " ".join(best.texts))
        if self._quote.document_ids and best.document.doc_id not in self._quote.document_ids:
            how = f"{self._lack}; another nearly does: {how}"
        return self._of(Verdict.NEARLY, best, how)

    def _nearest(self, texts: Iterable[SearchedText], best: Found | None) -> Found | None:
        """What is nearer than the best so far."""
        above = 0.0 if best is None else best.likeness
        near = nearest(self._quote.texts[0], texts, above=above, check=self._go_on)
        return None if near is None else Found(near.searched.document, (near.span,), near.likeness)

    @cached_property
    def _others(self) -> list[SearchedText]:
        return [
            searched
            for searched in self._corpus.candidates(self._quote.texts[0])
            if searched.document.doc_id not in self._quote.document_ids
        ]

    @property
    def _lack(self) -> str:
        if self._unknown:
            return f"there is no document {self._unknown[0]!r}"
        return "the cited document does not hold it"

    def _of(
        self, verdict: Verdict, found: Found | None, reason: str, folds: tuple[Fold, ...] = ()
    ) -> Finding:
        return Finding(self._quote, verdict, reason, found, folds, self._offsets_match(), self._unknown)

    def _offsets_match(self) -> bool | None:
        if self._quote.offsets is None:
            return None
        start, end = self._quote.offsets
        texts = [searched.document.text for searched in self._cited]
        return any(0 <= start < end <= len(text) and text[start:end] == self._quote.text for text in texts)


@dataclass(frozen=True, slots=True)
class _Stands:
    """Where a quote stands. ``verbatim`` False: more differs than ``Fold`` names, but only in looks."""

    found: Found
    folds: tuple[Fold, ...]
    verbatim: bool


def counted(findings: Iterable[Finding]) -> Mapping[Verdict, int]:
    """How many quotes have each verdict."""
    verdicts = Counter(finding.verdict for finding in findings)
    return {verdict: verdicts[verdict] for verdict in Verdict}
