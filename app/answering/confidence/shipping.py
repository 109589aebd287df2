"""Shipping a calibrator: its entry in the manifest of the weights that it lies beside."""

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

from app.answering.confidence.calibrator import CALIBRATOR_KIND, Calibrator
from app.answering.shipped_weights import ShippedWeights, record_weights, shipped_weights, ships
from common.packaged import sha256_of


def ship_calibrator(calibrator: Calibrator, path: Path, command: str, folders: Collection[Path]) -> None:
    """Where the file lies in one of these folders of weights, bring its manifest up to date.

    ``command``: what fitted it.
    """
    folder = path.parent.resolve()
    if folder not in {weights.resolve() for weights in folders}:
        return
    fitted = calibrator.fitted_on
    entry = ShippedWeights(
        file=path.name,
        sha256=sha256_of(path),
        kind=CALIBRATOR_KIND,
        base_sha256=str(fitted.models["reader"]),
        licence="Apache-2.0",
        command=command,
        data=str(fitted.questions["sha256"]),
        seed=0,
        quality=calibrator.quality,
        calibrated_on=asdict(fitted),
    )
    record_weights(path.stem, entry, folder)


def fitted_by(path: Path) -> str:
    """The command that fitted the calibrator in this file, as the manifest beside it has it; "" where none does."""
    if not ships(path.stem, path.parent):
        return ""
    return shipped_weights(path.stem, CALIBRATOR_KIND, path.parent)[1].command
