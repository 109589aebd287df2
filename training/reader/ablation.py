"""What can be left out of a reader's training, to see what it gives."""

from enum import StrEnum


class Ablation(StrEnum):
    """A part of the reader's training data, left out to see what it gives."""

    DISTANT = "distant"
    """NQ and TriviaQA questions, whose passages were found by search: SQuAD alone is left."""
    NEGATIVES = "negatives"
    """Passages that do not answer, and groups without an answer."""
