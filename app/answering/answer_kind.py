"""The kinds of answers that questions ask for."""

from enum import StrEnum


class AnswerKind(StrEnum):
    """What a good answer to a question is."""

    SHORT = "short"
    """A few words of the text: a name, a date, an amount."""
    LIST = "list"
    """Several things, each a few words or a line."""
    YES_NO = "yes/no"
    EXPLANATION = "explanation"
    """Sentences or steps: why, how, what is meant."""
