"""How a claim and a quote go together, and how often each way is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """How a claim and a quote go together; all but the true ones are to be scored 0.

    Claims that are short answers, or made into a statement: TRUE; OTHER_PASSAGE: the quote is of another
    passage; NEIGHBOUR: of the same passage, but does not say it; OTHER_CLAIM: a wrong answer with the right
    quote; ALTERED_QUOTE: the quote says another answer; DENIED_QUOTE: it denies it; BY_CHANCE: it holds the
    same words in answer to another question.

    Claims that are sentences, with the passage as quote: TRUE_SENTENCE; ALTERED_SENTENCE: claim and quote
    differ in a name, number or date; DENIED_SENTENCE: in polarity; UNSAID_SENTENCE: the quote lacks the sentence.
    """

    TRUE = "true"
    OTHER_PASSAGE = "other-passage"
    NEIGHBOUR = "neighbour"
    OTHER_CLAIM = "other-claim"
    ALTERED_QUOTE = "altered-quote"
    DENIED_QUOTE = "denied-quote"
    BY_CHANCE = "by-chance"
    TRUE_SENTENCE = "true-sentence"
    ALTERED_SENTENCE = "altered-sentence"
    DENIED_SENTENCE = "denied-sentence"
    UNSAID_SENTENCE = "unsaid-sentence"

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
    """How groups become claims.

    ``supported``: the share whose quote backs the claim. ``sentences``: the share whose claim is a sentence.
    ``of_answers``, ``of_sentences``: shares of the corruptions. ``any_kind``: the share of other claims that
    are any words of the quote, and not of the kind that the question asks for. ``stated``: the share of answers
    that are made into a statement, where the question allows it. ``without_question``: the share of sentences
    and statements that come without a question. ``wider``: the share of quotes with a neighbouring sentence;
    ``whole``: of quotes that are the whole passage. ``edited``: the share of supported claims with an edit that
    does no harm, so that an edit alone says nothing. ``asked``: see ``shown_of``.
    """

    supported: float = 0.5
    sentences: float = 0.25
    of_answers: Mapping[Kind, float] = field(default_factory=_of_answers)
    of_sentences: Mapping[Kind, float] = field(default_factory=_of_sentences)
    any_kind: float = 0.4
    stated: float = 0.3
    without_question: float = 0.3
    wider: float = 0.3
    whole: float = 0.15
    edited: float = 0.4
    asked: float = 0.5
