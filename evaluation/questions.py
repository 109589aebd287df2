"""Question sets: what is asked, and what would be right."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from importlib.resources import files
from pathlib import Path

from common.errors import LoccitError
from common.packaged import default_cache_dir
from evaluation.downloads import SOURCES, questions_path
from evaluation.question_sets.file import records_of
from evaluation.question_sets.forms import questions_of
from evaluation.question_sets.question import ADDED_FIELDS, ANSWERABLE, UNANSWERABLE, Question

__all__ = [
    "ADDED_FIELDS",
    "ANSWERABLE",
    "UNANSWERABLE",
    "Question",
    "Side",
    "datasets_dir",
    "load_questions",
    "sha256_of_questions",
    "side_of",
]

PACKAGED = {"own": "own_questions.jsonl", "first": "first_questions.jsonl"}
"""Sets that come with the project, both over the vital articles: one of facts, one that a newcomer would ask."""


class Side(StrEnum):
    """Which half of a question set: thresholds are chosen on one and reported on the other."""

    CALIBRATE = "calibrate"
    TEST = "test"


def side_of(question: str) -> Side:
    """The half that a question belongs to, by a hash of its text: the same in every run and every set."""
    digest = hashlib.sha256(f"loccit-split-1:{question.strip().lower()}".encode()).hexdigest()
    return Side.TEST if int(digest[-1], 16) % 2 else Side.CALIBRATE


def sha256_of_questions(questions: Sequence[Question]) -> str:
    """The digest of the questions, in their order, as canonical JSON: sorted keys, no spaces, ASCII.

    What came to the form of a question later is left out where it is empty, so that digests hold.
    """
    canonical = json.dumps(
        [
            {name: value for name, value in asdict(question).items() if value or name not in ADDED_FIELDS}
            for question in questions
        ],
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def load_questions(name_or_path: str) -> list[Question]:
    """The questions of a set that comes with the project, of one that was downloaded, or of a file.

    ``name_or_path``: ``own`` or ``first``; ``nq-open`` or ``nq-gold``; or the file's path.
    A file may have any of the forms in ``evaluation.question_sets.forms``, and be compressed with gzip or xz.

    Raises:
        LoccitError: naming the line that is not such a question, or how to get what is not there.
    """
    return questions_of(records_of(_content(name_or_path), name_or_path), name_or_path)


def datasets_dir() -> Path:
    """Where question sets are downloaded to."""
    return default_cache_dir() / "datasets"


def _content(name_or_path: str) -> bytes:
    if name_or_path in PACKAGED:
        return (files("evaluation") / "data" / PACKAGED[name_or_path]).read_bytes()
    if name_or_path in SOURCES:
        return _downloaded(name_or_path)
    try:
        return Path(name_or_path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        names = ", ".join(f"`{name}`" for name in (*PACKAGED, *SOURCES))
        why = getattr(error, "strerror", None) or error
        raise LoccitError(
            f"The questions {name_or_path!r} cannot be read ({why}); give {names}, or a file of questions."
        ) from error


def _downloaded(name: str) -> bytes:
    try:
        return questions_path(name, datasets_dir()).read_bytes()
    except FileNotFoundError as error:
        raise LoccitError(
            f"The questions `{name}` are not on this machine yet; `loccit evaluate --download {name}` fetches them."
        ) from error
