"""Calibration: which calibrator belongs to what answers here, and what threshold it promises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.answering.confidence.calibrator import (
    CALIBRATOR_FILE,
    CALIBRATOR_KIND,
    Calibrator,
    FittedOn,
    JudgedAnswers,
)
from app.answering.generators.reader_generator import SPANS_EXTRACTED
from app.answering.options import FITTED_MIN_CONFIDENCE, SCORE_MIN_CONFIDENCE
from app.answering.rules import RULES
from app.answering.shipped_weights import names_of, shipped_weights
from app.service.setting_marks import calibrator_settings
from app.service.settings import ConfidenceKind, Settings
from common.errors import InvalidRequestError
from retriever.index import STORE_FILE, PassageIndex

Digests = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Calibration:
    """What the confidence was fitted on, and whether that is what answers here."""

    calibrator: Calibrator
    applies: bool


def calibration_of(
    settings: Settings, models: Digests, index: PassageIndex, folders: Sequence[Path]
) -> Calibration | None:
    """Of the index's own calibrator and those in these folders of weights, the first that applies.

    Where none applies, it is the first that knows the reader and the support scorer. None where none knows them,
    or the settings want a score.

    ``models``: digests by part.
    """
    if settings.confidence is ConfidenceKind.SCORE:
        return None
    own = settings.index / CALIBRATOR_FILE
    paths = [own] if own.is_file() else []
    for folder in folders:
        for name in names_of(CALIBRATOR_KIND, folder):
            paths.append(shipped_weights(name, CALIBRATOR_KIND, folder)[0])
    here = (dict(models), _shaping(settings), _documents_sha256(index))
    calibrations = [
        Calibration(calibrator, applies=(dict(fitted.models), dict(fitted.settings), fitted.index) == here)
        for calibrator in map(Calibrator.load, paths)
        if (fitted := calibrator.fitted_on).knows(models)
    ]
    return max(
        calibrations, key=lambda calibration: calibration.applies, default=None
    )  # of equal ones the first


def fitted_on(
    settings: Settings,
    models: Digests,
    index: PassageIndex,
    questions: Mapping[str, Any],
    judged: Sequence[JudgedAnswers],
) -> FittedOn:
    """What a calibrator is fitted on when it learns from these answers.

    ``models``: digests by part. ``questions``: their ``name``, and whatever else tells which they are.

    Raises:
        InvalidRequestError: when the index is not one on disk.
    """
    documents = _documents_sha256(index)
    if documents is None:
        raise InvalidRequestError(
            "A calibrator is fitted on an index on disk; build one with `loccit index build`."
        )
    answerable = sum(answers.answerable for answers in judged)
    return FittedOn(
        name=f"{Path(questions['name']).stem} over {settings.index.name}",
        index=documents,
        models=models,
        settings=_shaping(settings),
        questions={
            **questions,
            "answerable": answerable,
            "unanswerable": len(judged) - answerable,
        },
    )


def threshold(settings: Settings, calibration: Calibration | None, *, abstains: bool = True) -> float:
    """The ``min_confidence`` that is set, the one that reaches the target accuracy, or the usual one.

    ``abstains`` False: every answer is kept, so where nothing promises the target accuracy it is the usual one.

    Raises:
        InvalidRequestError: when both are set, or no calibrator that applies reached it.
    """
    usual = SCORE_MIN_CONFIDENCE if calibration is None else FITTED_MIN_CONFIDENCE
    if settings.target_accuracy is None:
        return usual if settings.min_confidence is None else settings.min_confidence
    if settings.min_confidence is not None:
        raise InvalidRequestError(
            "Both min_confidence and target_accuracy set the threshold; give one of them."
        )
    try:
        return _promising(settings.target_accuracy, settings, calibration)
    except InvalidRequestError:
        if abstains:
            raise
        return usual


def _promising(accuracy: float, settings: Settings, calibration: Calibration | None) -> float:
    if settings.confidence is ConfidenceKind.SCORE:
        raise InvalidRequestError(
            "target_accuracy needs a fitted confidence, but confidence is set to score; leave one of the two out."
        )
    if calibration is None or not calibration.applies:
        fitted = (
            "there is none"
            if calibration is None
            else f"it was fitted on {calibration.calibrator.fitted_on.name}"
        )
        raise InvalidRequestError(
            f"target_accuracy needs a calibrator that was fitted on this index with these settings, but {fitted}; fit "
            f"one with `loccit calibrate QUESTIONS --index {settings.index}`."
        )
    return calibration.calibrator.threshold_for(accuracy)


def _shaping(settings: Settings) -> dict[str, Any]:
    """What shapes an answer beside models and index."""
    return {**calibrator_settings(settings), "spans_extracted": list(SPANS_EXTRACTED), "rules": RULES}


def _documents_sha256(index: PassageIndex) -> str | None:
    """The digest of the index's documents and passages; None where it has no manifest."""
    return None if index.manifest is None else index.manifest.files[STORE_FILE].sha256
