"""Whether a quote supports an answer, judged without a part in choosing it: a stand-in for a human's verdict."""

from collections.abc import Iterable

from app.answering.text.overlap import Overlap
from retriever.lexical import LexicalIndex

RUN = 8  # words in a row that two texts share when one quotes the other
LEAST_ASKED = 0.5
_VERDICTS = frozenset({"yes", "no"})


class SupportJudge:
    """Accepts a quote that comes from what an annotator marked, or that says enough by itself.

    It knows no weights and no index: every word counts the same, so it is not the scorer that chose the quote.
    It is no human either: docs/results.md says how often it agrees with one.
    """

    def __init__(self) -> None:
        self._overlap = Overlap(LexicalIndex())  # without a text in it, every word is equally rare

    def from_gold(self, quote: str, gold_texts: Iterable[str]) -> bool:
        """Whether the quote and a gold text share eight words in a row, or one holds all of the other."""
        words = self._overlap.words(quote)
        return any(_share_a_run(words, self._overlap.words(text)) for text in gold_texts)

    def accepts(self, question: str, answer: str, title: str, quote: str) -> bool:
        """Whether title and quote hold all words of the answer, and half of the question's or more.

        Function words do not count, the others by their stem. The answer has to have a word in the quote itself. Of yes
        or no, which no quote says, only the question's words are asked for.
        """
        told = f"{title}\n{quote}"
        to_the_point = self._overlap.covered(self._overlap.weights(question), told) >= LEAST_ASKED
        if answer.strip(" .!").lower() in _VERDICTS:
            return to_the_point
        said = self._overlap.weights(answer)
        return (
            to_the_point
            and self._overlap.covered(said, told) == 1.0
            and self._overlap.covered(said, quote) > 0.0
        )


def _share_a_run(first: list[str], second: list[str]) -> bool:
    length = min(RUN, len(first), len(second))
    return length > 0 and not _runs(first, length).isdisjoint(_runs(second, length))


def _runs(words: list[str], length: int) -> set[tuple[str, ...]]:
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}
