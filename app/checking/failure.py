"""What can fail a run of `loccit check`."""

from enum import StrEnum


class Failure(StrEnum):
    """What can fail a run."""

    FABRICATED = "fabricated"
    NEARLY = "nearly"
    FROM_ANOTHER_DOCUMENT = "from_another_document"
    TOO_SHORT = "too_short"
    MISPLACED = "misplaced"
    UNSUPPORTED = "unsupported"
    UNRESOLVED = "unresolved"
    NO_QUOTES = "no_quotes"
