"""`loccit calibrate`: fit the confidence to questions whose answers are known."""

from pathlib import Path
from typing import Annotated

import typer

from app.service.command_options import CALIBRATE, Options, with_options


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
    from calibration.calibrate_command import Wanted, calibrate_with

    which = {name: options[name] for name in ("questions", "index", "side", "sample", "earlier")}
    settings = {name: value for name, value in options.items() if name not in which}
    calibrate_with(Wanted(**which, run=run, out=out), settings)
