"""Where a quote that a language model wrote stands in a document: what checks anybody's quotes looks for it."""

from app.answering.generators.claim_generator import LocatedQuote
from app.answering.language_models.written_claims import MOST_QUOTE_CHARACTERS
from common.deadline import Check, go_on
from quote_check.check import NEARLY_FROM
from quote_check.folding import folded
from quote_check.nearest import nearest
from quote_check.searched_text import LEAST_WORDS, SearchedText, words
from quote_check.standing import Sought, standing_in
from retriever.text.units import quotable_spans
from retriever.types import Document, Span


class StandingQuotes:
    """Locates a quote word for word, or else as the real span that is at least 90% like it.

    Differences that ``loccit check`` lets pass (see ``Fold``) are none. Of a quote with omissions the whole run is
    quoted, from its first part to its last. One of less than four words has to stand word for word, and the sentence,
    step or row around it is quoted: a few words would fit anywhere. One that folds to more than 4,000 characters is
    nowhere: a single ligature may be eighteen letters.
    """

    def locate(
        self, quote: str, document: Document, within: Span, check: Check = go_on
    ) -> LocatedQuote | None:
        text = folded(quote)
        count = len(words(text))
        if not count or len(text) > MOST_QUOTE_CHARACTERS:
            return None
        searched = SearchedText(document, within)
        standing = standing_in(Sought.of(quote), searched, check)
        if standing is not None:
            span = Span(standing.spans[0].start, standing.spans[-1].end)
            if count < LEAST_WORDS:
                span = _unit_around(span, document, within)
            return LocatedQuote(span, 1.0, standing.verbatim)
        if count < LEAST_WORDS:
            return None
        check()
        near = nearest(quote, [searched], above=NEARLY_FROM)
        return None if near is None else LocatedQuote(near.span, near.likeness, verbatim=False)


def _unit_around(span: Span, document: Document, within: Span) -> Span:
    touched = [unit for unit in quotable_spans(document, within) if unit.touches(span)]
    return Span(touched[0].start, touched[-1].end) if touched else span
