"""Questions to train on, with what answers them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from app.answering.text.answer_match import has_answer
from app.answering.text.normalise import normalise_answer
from common.files import records

_LEAST_CHARACTERS = 2


class Source(StrEnum):
    """Which data set a question is from."""

    SQUAD = "squad"
    NQ = "nq"
    TRIVIAQA = "triviaqa"
    QED = "qed"

    @property
    def marked(self) -> bool:
        """Whether people marked where the answer stands; else every place that holds its words counts."""
        return self in (Source.SQUAD, Source.QED)


@dataclass(frozen=True, slots=True)
class Question:
    """``id``: unique in the training data. ``answers``: every wording that counts as right."""

    id: str
    source: Source
    text: str
    answers: tuple[str, ...]

    @property
    def normalised(self) -> str:
        """What tells it from other questions."""
        return normalise_answer(self.text)

    def order(self, seed: int) -> str:
        """A place among others that depends on nothing but its words and the seed."""
        return sha256(f"loccit-training-{seed}:{self.normalised}".encode()).hexdigest()


def distant_questions(path: Path, source: Source) -> list[Question]:
    """The questions of a file that has answers but no passages, each question once."""
    questions = (
        Question(
            f"{source}-{number}",
            source,
            record["question"].strip(),
            usable(record["answers"], record["question"]),
        )
        for number, record in enumerate(records(path))
    )
    return [question for question in each_once(questions) if question.answers]


def usable(answers: Iterable[str], question: str) -> tuple[str, ...]:
    """The answers of at least two letters or digits, each once, longer ones first.

    A single letter, an emoji or a page title like "List of ..." would match by accident or never, and what
    stands in the question already is found wherever its topic is.
    """
    kept = {
        answer.strip()
        for answer in answers
        if sum(map(str.isalnum, answer)) >= _LEAST_CHARACTERS
        and not answer.startswith("List of ")
        and not answer.endswith("(disambiguation)")
        and not has_answer(question, [answer])
    }
    return tuple(sorted(kept, key=lambda answer: (-len(answer), answer)))


def each_once(questions: Iterable[Question]) -> list[Question]:
    """The questions without repetitions: the first of each wording."""
    seen: dict[str, Question] = {}
    for question in questions:
        seen.setdefault(question.normalised, question)
    return list(seen.values())
