"""The form of a question set: which keys tell it from others, and what it makes of a record."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from evaluation.question_sets.question import Question
from evaluation.question_sets.record import Record


@dataclass(frozen=True, slots=True)
class Form:
    """``keys``: a record that has all of them is of this form. ``questions``: those that a record holds."""

    name: str
    keys: frozenset[str]
    questions: Callable[[Record], Iterable[Question]]


def id_of(record: Record, key: str = "id") -> str:
    """The record's own id, else ``line-N``."""
    return record.optional_id(key) or f"line-{record.line}"


def check_answerable(record: Record, key: str, answers: tuple[str, ...], *, answerable: bool) -> None:
    """Refuses, with a LoccitError, answers that contradict what the record says under ``key``."""
    if answerable and not answers:
        raise record.malformed(f"there is no answer, but {key} says that there is one")
    if answers and not answerable:
        raise record.malformed(f"there is an answer, but {key} says that there is none")
