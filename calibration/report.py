"""What a fit is worth, on a terminal."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from calibration.fit import Fitted, Held
from common.terminal_text import plain


def show_fit(fit: Fitted, path: Path, console: Console) -> None:
    """Quality on questions that the fit had not seen, what each feature adds, and what thresholds promise."""
    rests_on = fit.calibrator.fitted_on
    answerable, unanswerable = rests_on.questions["answerable"], rests_on.questions["unanswerable"]
    console.print(
        plain(
            f"Fitted on {rests_on.name}: {answerable} answerable and {unanswerable} unanswerable questions. On "
            "questions not seen, both kinds counted half and half:"
        )
    )
    quality = Table("", "log loss", "Brier", "AUROC", "right and supported")
    quality.add_row("all features", *_figures(fit.held))
    for name, held in fit.without.items():
        quality.add_row(f"without {name}", *(("-",) * 4 if held is None else _figures(held)))
    console.print(quality)
    thresholds = Table("min_confidence", "given", "right and supported", "at least, with 95% certainty")
    for record in fit.calibrator.thresholds:
        share = f"{record.right / record.given:.1%}" if record.given else "-"
        thresholds.add_row(f"{record.min_confidence:g}", str(record.given), share, f"{record.at_least:.1%}")
    console.print(plain("What thresholds gave, of the questions as they came:"))
    console.print(thresholds)
    console.print(plain(f"The calibrator is in {path}."))


def _figures(held: Held) -> tuple[str, str, str, str]:
    return f"{held.log_loss:.4f}", f"{held.brier:.4f}", f"{held.auroc:.4f}", f"{held.accuracy:.1%}"
