"""What `loccit calibrate` does: answer the questions, judge the answers, fit the confidence to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from app.answering.confidence.calibrator import CALIBRATOR_FILE
from app.answering.confidence.shipping import ship_calibrator
from app.answering.options import AnswerLength
from app.answering.shipped_weights import weights_folders
from app.service.calibration import calibration_of, fitted_on
from app.service.settings import ConfidenceKind
from calibration.fit import Fitted, fit
from calibration.judged_answers import judged_answers
from calibration.questions import CalibrationSet, calibration_set
from calibration.report import show_fit
from common.errors import InvalidRequestError
from evaluation.predict_command import Asked, predict_with


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """On which questions and which index to fit, and where to write."""

    questions: str
    """A name or a file (see ``load_questions``)."""
    index: Path
    side: str | None
    sample: int | None
    run: Path | None
    """Folder for the answers; runs/calibrate-INDEX unless given."""
    earlier: Path | None
    """The run whose first stages are taken over where they fit."""
    out: Path | None
    """File for the calibrator; in the folder of the index unless given."""


def calibrate_with(wanted: Wanted, given: Mapping[str, Any]) -> None:
    """Fit a calibrator, write it, and show what it is worth.

    ``given``: settings by name; None leaves one as the environment or its default has it.

    Raises:
        LoccitError: when the questions cannot be answered or are too few to learn from, or ``out`` is no file's path.
    """
    questions = calibration_set(wanted.questions, side=wanted.side, sample=wanted.sample)
    path = wanted.out or wanted.index / CALIBRATOR_FILE
    _require_writable(path)
    fitted, folders = _fitted(wanted, questions, given)
    fitted.calibrator.save(path)
    ship_calibrator(fitted.calibrator, path, questions.command(wanted.index, given), folders)
    show_fit(fitted, path, Console())


def _require_writable(path: Path) -> None:
    """That a file can be written there is known before the questions are asked, which takes long."""
    if path.is_dir():
        raise InvalidRequestError(
            f"{path} is a folder; name the file that the calibrator is to be written to."
        )
    path.parent.mkdir(parents=True, exist_ok=True)


def _fitted(
    wanted: Wanted, questions: CalibrationSet, given: Mapping[str, Any]
) -> tuple[Fitted, tuple[Path, ...]]:
    """The fit, and the folders of weights that were answered with."""
    run = wanted.run or Path("runs") / f"calibrate-{wanted.index.name}"
    asked = Asked(
        questions=wanted.questions,
        out=run,
        without_gold=questions.without_gold,
        side=wanted.side,
        sample=wanted.sample,
        earlier=wanted.earlier,
    )
    # answers that no earlier calibrator has chosen, each of them kept
    settings = {
        **given,
        "index": wanted.index,
        "confidence": ConfidenceKind.SCORE,
        "min_confidence": 0.0,
        "length": AnswerLength.SHORT,  # what it is fitted on
    }
    service = predict_with(asked, settings)
    judged = judged_answers(run)
    digests = service.models.digests(service.encoder)
    rests_on = fitted_on(service.settings, digests, service.index, questions.described, judged)
    folders = weights_folders(service.settings.weights)
    fitted = service.settings.model_copy(update={"confidence": ConfidenceKind.FITTED})
    earlier = calibration_of(fitted, digests, service.index, folders)
    return fit(judged, rests_on, start=None if earlier is None else earlier.calibrator), folders
