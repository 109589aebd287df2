"""`loccit calibrate`: fit the confidence to questions whose answers are known."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.service.command_options import CALIBRATE, Options, with_options
from app.service.settings import ConfidenceKind
from evaluation.cli import predict_with


@with_options(*CALIBRATE)
def calibrate(
    run: Annotated[
        Path | None,
        typer.Option(
            "--run", metavar="DIR", help="Folder for the answers; runs/calibrate-INDEX unless given."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Where to write; into the folder of the index unless given."
        ),
    ] = None,
    *,
    options: Options,
) -> None:
    """Fit the confidence to your own questions, so that 0.8 means: about 80% are right and supported.

    Where no question is unanswerable, each is also asked without its gold document, so they have to name one.
    Answering is resumed when it was interrupted. From then on, answers from this index carry calibrated confidence.

    Example: loccit calibrate questions.jsonl --index data/indexes/mine
    """
    from app.answering.confidence.calibrator import CALIBRATOR_FILE
    from app.answering.shipped_weights import weights_folders
    from app.service.calibration import fitted_on
    from calibration.fit import fit, ship_calibrator
    from calibration.judged_answers import judged_answers
    from calibration.questions import calibration_set
    from calibration.report import show_fit

    index: Path = options["index"]
    run = run or Path("runs") / f"calibrate-{index.name}"
    asked = calibration_set(options["questions"], side=options["side"], sample=options["sample"])
    answering, settings = predict_with(
        {
            **options,
            "out": run,
            "configuration": "full",
            "without_gold": asked.without_gold,
            "earlier": None,
            "confidence": ConfidenceKind.SCORE,
            "min_confidence": 0.0,
        }
    )
    judged = judged_answers(run)
    models = answering.models.digests(answering.encoder)
    found = fit(judged, fitted_on(settings, models, answering.index, asked.described, judged))
    path = out or index / CALIBRATOR_FILE
    found.calibrator.save(path)
    ship_calibrator(found.calibrator, path, asked.command(index), weights_folders(settings.weights))
    show_fit(found, path, Console())
