"""Word overlap, weighted by how rare the words are: the yardstick of the untrained reader and scorer."""

from collections.abc import Mapping
from typing import Protocol

# Words that say how something is asked, not what about. Analysed like any text before use.
_FUNCTION_WORDS = (
    "a about after all also an and any are as at be became become been before being both but by can could did do "
    "does doing during each for from had has have having he her here hers him his how i if in into is it its just "
    "many may me more most much my no nor not of off on once only or other our out over own s same she should so "
    "some such t than that the their them then there these they this those through to too under until up us very "
    "was we were what when where which while who whom whose why will with would you your name called tell give "
)


class Vocabulary(Protocol):
    """Words as an index sees them. ``LexicalIndex`` is one."""

    def terms(self, text: str) -> list[str]:
        """The analysed words of a text, in order."""

    def idf(self, term: str) -> float:
        """How rare an analysed word is; 0 or more."""


class Overlap:
    """How much of one text's meaning another shares, in words."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._function_terms = frozenset(vocabulary.terms(_FUNCTION_WORDS))

    def words(self, text: str) -> list[str]:
        """The text's words as the vocabulary sees them, in order."""
        return self._vocabulary.terms(text)

    def weights(self, text: str) -> dict[str, float]:
        """The text's content words with their idf; every word when it has no content word."""
        terms = dict.fromkeys(self._vocabulary.terms(text))
        content = [term for term in terms if term not in self._function_terms] or list(terms)
        return {term: self._vocabulary.idf(term) for term in content}

    def covered(self, wanted: Mapping[str, float], text: str) -> float:
        """0-1: the weight of the wanted words that stand in the text, over the weight of all wanted."""
        present = set(self._vocabulary.terms(text))
        total = sum(wanted.values())
        # in the order of the wanted words, not of the set: the same sum in every process
        return sum(weight for term, weight in wanted.items() if term in present) / total if total else 0.0

    def answered(self, answer: Mapping[str, float], title: str, quote: str) -> float:
        """0-1: how much of an answer's words a quote under this title holds.

        The mean of what the quote holds and of what title and quote hold: in an article about somebody, "he
        designed it" half names them.
        """
        return (self.covered(answer, quote) + self.covered(answer, f"{title}\n{quote}")) / 2
