"""Question sets: what is asked, and what would be right."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any

from retriever.errors import LoccitError

OWN = "own"
ANSWERABLE = "answerable"


@dataclass(frozen=True, slots=True)
class Question:
    """One question. ``answers`` is empty where abstaining is right; ``kind`` says why or what sort it is."""

    id: str
    question: str
    answers: tuple[str, ...]
    kind: str = ANSWERABLE
    title: str | None = None


class Side(StrEnum):
    """Which half of a question set: thresholds are chosen on one and reported on the other."""

    CALIBRATE = "calibrate"
    TEST = "test"


def side_of(question: str) -> Side:
    """The half that a question belongs to, by a hash of its text: the same in every run and every set."""
    digest = hashlib.sha256(f"loccit-split-1:{question.strip().lower()}".encode()).hexdigest()
    return Side.TEST if int(digest[-1], 16) % 2 else Side.CALIBRATE


def sha256_of_questions(questions: Sequence[Question]) -> str:
    """The digest of the questions, in their order, as canonical JSON: sorted keys, no spaces, ASCII."""
    canonical = json.dumps(
        [asdict(question) for question in questions], sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def load_questions(name_or_path: str) -> list[Question]:
    """The project's own questions (``own``), or those of a JSONL file.

    A line needs ``question`` and ``answers`` (a list of strings); ``id``, ``kind`` and ``title`` are optional.

    Raises:
        LoccitError: naming the line that is not such a question.
    """
    if name_or_path == OWN:
        text = (files("evaluation") / "data" / "own_questions.jsonl").read_text(encoding="utf-8")
    else:
        try:
            text = Path(name_or_path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise LoccitError(
                f"The questions {name_or_path!r} cannot be read ({error}); give `own` or a JSONL file."
            ) from error
    questions = list(_questions(text, name_or_path))
    ids = [question.id for question in questions]
    if len(set(ids)) < len(ids):
        raise LoccitError(f"{name_or_path}: two questions have the same id; each needs its own.")
    return questions


def _questions(text: str, name: str) -> Iterator[Question]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield _question(json.loads(line), number)
            except (ValueError, KeyError, TypeError) as error:
                raise LoccitError(
                    f'{name}:{number} is not a question; it needs the form {{"question": "...", "answers": ["..."]}}.'
                ) from error


def _question(record: dict[str, Any], number: int) -> Question:
    question, answers = record["question"], record["answers"]
    if not isinstance(question, str) or not isinstance(answers, list):
        raise TypeError
    return Question(
        id=str(record.get("id", f"line-{number}")),
        question=question,
        answers=tuple(str(answer) for answer in answers),
        kind=str(record.get("kind", ANSWERABLE)),
        title=record.get("title"),
    )
