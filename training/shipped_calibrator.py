"""The calibrator among weights: its entry in their manifest."""

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

from app.answering.calibrator import CALIBRATOR_KIND, CALIBRATOR_NAME, Calibrator
from app.answering.shipped_weights import ShippedWeights, record_weights
from retriever.models import sha256_of


def ship_calibrator(calibrator: Calibrator, path: Path, command: str, folders: Collection[Path]) -> None:
    """Where the file lies in one of these folders of weights, bring its manifest up to date."""
    folder = path.parent.resolve()
    if folder not in {one.resolve() for one in folders}:
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
    record_weights(CALIBRATOR_NAME, entry, folder)
