"""Checking: is a quote verbatim where it claims to stand, nearly so, from elsewhere, or made up?"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from common.progress import Advance
from quote_check.claims import ClaimedQuote
from quote_check.corpus import Corpus
from quote_check.nearest import Match, nearest_match
from retriever.types import Document, Span

NEARLY_FROM = 0.9
"""Similarity from which a span counts as what was meant to be quoted."""


class Verdict(StrEnum):
    """What became of a quote."""

    VERBATIM = "verbatim"
    NEARLY = "nearly"
    ANOTHER_DOCUMENT = "another_document"
    FABRICATED = "fabricated"


@dataclass(frozen=True, slots=True)
class NearestSpan:
    """Real text of the index: ``text`` is what stands at ``span`` of the document, in code points.

    ``similarity``: see ``Match``. ``exact``: the very characters of the quote.
    """

    doc_id: str
    title: str
    span: Span
    text: str
    similarity: float
    exact: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one quote, with the real span that comes nearest to it.

    ``offsets_match``: whether the quote stands at the claimed offsets; None when none were claimed.
    ``unknown_document``: the named document is not in the index. ``nearest`` is None when nothing is alike.
    """

    quote: ClaimedQuote
    verdict: Verdict
    nearest: NearestSpan | None
    offsets_match: bool | None
    unknown_document: bool
    reason: str

    @property
    def sound(self) -> bool:
        """Whether it is verbatim where it claims to stand, offsets included."""
        return self.verdict is Verdict.VERBATIM and self.offsets_match is not False


def find_holders(
    quotes: Iterable[ClaimedQuote], corpus: Corpus, advance: Advance = lambda _=1: None
) -> dict[str, str]:
    """By text of a quote that its named document lacks, the id of the first document that holds it exactly.

    Complete: what is missing here and in its named document stands verbatim nowhere in the corpus.
    """
    waiting = set()
    for quote in quotes:
        named = None if quote.document_id is None else corpus.document(quote.document_id)
        if quote.text.strip() and (named is None or quote.text not in named.text):
            waiting.add(quote.text)
    return corpus.holders(waiting, advance)


def check_with_holder(quote: ClaimedQuote, corpus: Corpus, holder: str | None) -> Finding:
    """The finding on one quote for which ``find_holders`` found this document.

    Near matches are looked for in the named document and in those that share the quote's words.
    """
    return _Check(quote, corpus).finding(holder)


class _Check:
    """One quote being checked."""

    def __init__(self, quote: ClaimedQuote, corpus: Corpus) -> None:
        self._quote = quote
        self._corpus = corpus
        self._named = None if quote.document_id is None else corpus.document(quote.document_id)
        self._unknown = quote.document_id is not None and self._named is None

    def finding(self, holder: str | None) -> Finding:
        """``holder``: the first document that holds the quote's very characters."""
        text, named = self._quote.text, self._named
        if not text.strip():
            return self._found(Verdict.FABRICATED, None, "the quote is empty")
        if named is not None and text in named.text:
            return self._verbatim(named)
        own = None if named is None else _near(text, named)
        if own is not None and own.similarity == 1:
            return self._found(Verdict.NEARLY, own, "only looks or marked omissions differ")
        if holder is not None:
            held = _exact(text, self._document(holder), None)
            if self._quote.document_id is None:
                return self._found(Verdict.VERBATIM, held, "stands word for word in the index")
            return self._found(
                Verdict.ANOTHER_DOCUMENT, held, f"{self._lack}; another holds it word for word"
            )
        if own is not None and own.similarity >= NEARLY_FROM:
            return self._found(Verdict.NEARLY, own, "some words differ")
        return self._from_elsewhere(own)

    def _verbatim(self, named: Document) -> Finding:
        standing = _exact(self._quote.text, named, self._quote.offsets)
        reason = "stands word for word in the named document"
        if self._quote.offsets not in (None, (standing.span.start, standing.span.end)):
            start, end = self._quote.offsets or (0, 0)
            reason += f", but at {standing.span.start} to {standing.span.end}, not at {start} to {end}"
        return self._found(Verdict.VERBATIM, standing, reason)

    def _from_elsewhere(self, own: NearestSpan | None) -> Finding:
        best = own
        for document in self._corpus.candidates(self._quote.text):
            if document.doc_id != self._quote.document_id:
                nearer = _near(self._quote.text, document, above=best.similarity if best else 0.0)
                best = nearer or best
        if best is None or best.similarity < NEARLY_FROM:
            lack = f"{self._lack}; nothing" if self._unknown else "nothing"
            return self._found(
                Verdict.FABRICATED, best, f"{lack} in the index is as near as {NEARLY_FROM:.0%}"
            )
        how = "only looks or marked omissions differ" if best.similarity == 1 else "some words differ"
        if self._quote.document_id is None:
            return self._found(Verdict.NEARLY, best, how)
        return self._found(Verdict.ANOTHER_DOCUMENT, best, f"{self._lack}; another nearly does: {how}")

    @property
    def _lack(self) -> str:
        if self._unknown:
            return f"the index has no document {self._quote.document_id!r}"
        return "the named document does not hold it"

    def _document(self, doc_id: str) -> Document:
        document = self._corpus.document(doc_id)
        if document is None:
            raise LookupError(f"The corpus named the document {doc_id!r}, but has none of that id.")
        return document

    def _found(self, verdict: Verdict, nearest: NearestSpan | None, reason: str) -> Finding:
        return Finding(self._quote, verdict, nearest, self._offsets_match(), self._unknown, reason)

    def _offsets_match(self) -> bool | None:
        if self._quote.offsets is None:
            return None
        start, end = self._quote.offsets
        text = "" if self._named is None else self._named.text
        return 0 <= start < end <= len(text) and text[start:end] == self._quote.text


def _exact(quote: str, document: Document, offsets: tuple[int, int] | None) -> NearestSpan:
    """Where the document holds the quote: the occurrence that is nearest to the claimed start, or the first."""
    start = document.text.find(quote)
    if offsets is not None:
        claimed = min(max(offsets[0], 0), len(document.text))
        places = (document.text.rfind(quote, 0, claimed + len(quote)), document.text.find(quote, claimed))
        start = min((place for place in places if place >= 0), key=lambda place: abs(place - claimed))
    return _nearest(quote, document, Match(Span(start, start + len(quote)), 1.0))


def _near(quote: str, document: Document, *, above: float = 0.0) -> NearestSpan | None:
    match = nearest_match(quote, document.text, above=above)
    return None if match is None else _nearest(quote, document, match)


def _nearest(quote: str, document: Document, match: Match) -> NearestSpan:
    text = match.span.of(document.text)
    return NearestSpan(document.doc_id, document.title, match.span, text, match.similarity, text == quote)
