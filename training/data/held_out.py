"""Questions that are never trained on: those of the evaluation files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from app.answering.text.normalise import normalise_answer
from common.files import records
from common.packaged import sha256_of

TRAINING_FILES = (
    "squad/train_v1.1.jsonl.xz",
    "nq/train_questions.jsonl.gz",
    "triviaqa/train_questions.jsonl.gz",
)
QED_FILE = "evidence/qed_nq_train.jsonl.gz"
_NOT_EVALUATED = frozenset({"corpora", "evidence"})
_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.xz")
_QUESTION_KEYS = frozenset({"question", "input"})


@dataclass(frozen=True, slots=True)
class KeptOut:
    """What is not trained on. ``questions``: normalised. ``files``: the sha256 of the files they are of, by name."""

    questions: set[str]
    files: Mapping[str, str]

    @classmethod
    def of(cls, data_folder: Path, others: Sequence[Path] = ()) -> Self:
        """The questions of the folder's evaluation files, and of the ``others``.

        Raises:
            LoccitError: when one of these is missing or damaged.
        """
        evaluation = evaluation_files(data_folder)
        names = {path: str(path.relative_to(data_folder)) for path in evaluation} | {
            path: path.name for path in others
        }
        return cls(questions_in(list(names)), {name: sha256_of(path) for path, name in names.items()})


def evaluation_files(data_folder: Path) -> list[Path]:
    """Every question file of the folder that is neither a training file, nor a corpus, nor evidence, in order.

    What lies in ``evidence`` is there to be trained on.
    """
    return [
        path
        for path in sorted(data_folder.rglob("*"))
        if path.name.endswith(_SUFFIXES)
        and path.relative_to(data_folder).as_posix() not in TRAINING_FILES
        and path.relative_to(data_folder).parts[0] not in _NOT_EVALUATED
    ]


def questions_in(paths: Sequence[Path]) -> set[str]:
    """The normalised questions of these files: whatever stands under ``question`` or ``input``, at any depth.

    Two questions count as the same one when ``normalise_answer`` makes the same of them.
    """
    return {
        normalise_answer(text) for path in paths for record in records(path) for text in _questions(record)
    }


def _questions(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and key.lower() in _QUESTION_KEYS:
                yield inner
            else:
                yield from _questions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _questions(inner)
