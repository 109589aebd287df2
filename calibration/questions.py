"""The questions that a calibrator is fitted on: about what is indexed, and some of them beyond it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import InvalidRequestError
from common.wording import command_line
from evaluation.questions import Question, load_questions, sha256_of_questions
from evaluation.slices import chosen

_LOCAL = ("weights", "allow_download")


@dataclass(frozen=True, slots=True)
class CalibrationSet:
    """Which questions they are: of the file of this ``name`` one ``side``, of that a ``sample``; None: all of it.

    ``without_gold``: whether each is to be asked without its gold document too, as none is unanswerable.
    """

    name: str
    sha256: str
    side: str | None
    sample: int | None
    without_gold: bool

    @property
    def described(self) -> dict[str, Any]:
        """What a calibrator says of them."""
        return {"name": self.name, "sha256": self.sha256, "side": self.side, "sample": self.sample}

    def command(self, index: Path, given: Mapping[str, object]) -> str:
        """What fits a calibrator on them and this index.

        ``given``: settings by name, None where none was given. Those that only this machine knows are left out.
        """
        which = {"index": index.name, "side": self.side, "sample": self.sample}
        shaping = {name: value for name, value in given.items() if name not in _LOCAL}
        return command_line("calibrate", self.name, **which, **shaping)


def calibration_set(name_or_path: str, *, side: str | None, sample: int | None) -> CalibrationSet:
    """The set of these questions (see ``load_questions`` and ``chosen``).

    Raises:
        InvalidRequestError: when one of them brings documents of its own, or none of them is unanswerable and one
            names no gold document.
        LoccitError: when they cannot be read, or there are none of this side.
    """
    questions = chosen(load_questions(name_or_path), side=side, sample=sample, without_gold=False)
    if any(question.documents for question in questions):
        raise InvalidRequestError(
            "These questions bring documents of their own, but a calibrator is fitted on an index; give questions "
            "about what is indexed."
        )
    without_gold = all(question.answers for question in questions)
    if without_gold:
        _require_gold(questions, side=side, sample=sample)
    return CalibrationSet(
        name=Path(name_or_path).name,
        sha256=sha256_of_questions(questions),
        side=side,
        sample=sample,
        without_gold=without_gold,
    )


def _require_gold(questions: Sequence[Question], *, side: str | None, sample: int | None) -> None:
    nameless = next((question for question in questions if question.gold_document_id is None), None)
    if nameless is not None:
        part = ("" if side is None else f" on the side {side}") + ("" if sample is None else " in the sample")
        raise InvalidRequestError(
            f"None of the questions{part} is unanswerable, so each is asked without its gold document too, but "
            f"{nameless.id} names no gold_document_id; name it for each, or give some that are unanswerable{part}."
        )
