"""How a claim and a quote go together, and how often each way is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How a claim and a quote go together; all but the true ones are to be scored 0.

    The claims of a sentence's kinds are sentences, with their passage as quote. The others are short answers, or short
    answers made into a statement.
    """

    TRUE = "true"
    """The quote backs the answer."""
    OTHER_PASSAGE = "other-passage"
    """The quote is of a passage that does not answer."""
    NEIGHBOUR = "neighbour"
    """The quote is of the passage that answers, but of a sentence that does not."""
    OTHER_CLAIM = "other-claim"
    """The answer is wrong, and the quote holds the right one."""
    ALTERED_QUOTE = "altered-quote"
    """The quote was changed to say another answer."""
    DENIED_QUOTE = "denied-quote"
    """The quote was changed to deny the answer."""
    BY_CHANCE = "by-chance"
    """The quote holds the same words in answer to another question."""
    TRUE_SENTENCE = "true-sentence"
    """The passage holds the sentence."""
    ALTERED_SENTENCE = "altered-sentence"
    """Sentence and passage differ in a name, number or date."""
    DENIED_SENTENCE = "denied-sentence"
    """Sentence and passage differ in polarity."""
    UNSAID_SENTENCE = "unsaid-sentence"
    """The passage lacks the sentence."""

    @property
    def supported(self) -> bool:
        """Whether the quote backs the claim."""
        return self in (Kind.TRUE, Kind.TRUE_SENTENCE)


def _of_answers() -> dict[Kind, float]:
    return {
        Kind.OTHER_PASSAGE: 0.10,
        Kind.NEIGHBOUR: 0.15,
        Kind.OTHER_CLAIM: 0.30,
        Kind.ALTERED_QUOTE: 0.15,
        Kind.DENIED_QUOTE: 0.15,
        Kind.BY_CHANCE: 0.15,
    }


def _of_sentences() -> dict[Kind, float]:
    return {Kind.ALTERED_SENTENCE: 0.45, Kind.DENIED_SENTENCE: 0.30, Kind.UNSAID_SENTENCE: 0.25}


@dataclass(frozen=True, slots=True)
class SupportSettings:
    """How groups become claims."""

    supported: float = 0.5
    """The share of claims whose quote backs them."""
    sentences: float = 0.25
    """The share of claims that are sentences."""
    of_answers: Mapping[Kind, float] = field(default_factory=_of_answers)
    """The shares of the corruptions, among claims that are answers and are not backed."""
    of_sentences: Mapping[Kind, float] = field(default_factory=_of_sentences)
    """The shares of the corruptions, among claims that are sentences and are not backed."""
    any_kind: float = 0.4
    """The share of wrong answers that are any words of the quote. The others are of the kind that is asked for."""
    stated: float = 0.3
    """The share of answers that are made into a statement, where the question allows it."""
    without_question: float = 0.3
    """The share of sentences and statements that come without a question."""
    wider: float = 0.3
    """The share of quotes that have a neighbouring sentence beside the one that answers."""
    whole: float = 0.15
    """The share of quotes that are the whole passage."""
    edited: float = 0.4
    """The share of backed claims with an edit that does no harm, so that an edit alone says nothing."""
    asked: float = 0.5
    """The share of a question's longer words that must stand beside an answer that nobody marked: see
    ``answering_passage_of``."""
