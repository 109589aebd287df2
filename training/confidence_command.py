"""`loccit train confidence`: the law of confidence beyond short answers, into a calibrator."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from app.service.settings import DEFAULT_INDEX, LANGUAGE_MODEL_CHOICES, ReaderKind, Settings
from common.errors import LoccitError
from common.packaged import LANGUAGE_MODELS
from common.terminal_text import plain
from common.wording import command_line
from training.command_options import PREPARED, Threads

if TYPE_CHECKING:  # they bring what takes seconds to load
    from app.answering.confidence.calibrator import Calibrator
    from app.service.assembly import AnswerService


_THEN = " && "
_MODELS = ("reader", "support", "language_model", "adapter")
"""Whose answers and judgements the law weighs."""


def confidence(
    into: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="The calibrator that the law is put into, as `loccit calibrate` made it."
        ),
    ],
    prepared: Annotated[
        Path,
        typer.Option(
            "--data", metavar="DIR", help="Folder that train data wrote; with --evidence-only is enough."
        ),
    ] = PREPARED,
    index: Annotated[Path, typer.Option(help="Whose encoder is used.")] = DEFAULT_INDEX,
    reader: Annotated[ReaderKind, typer.Option(help="Whose answers are judged.")] = ReaderKind.STRONG,
    language_model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help=f"{LANGUAGE_MODEL_CHOICES} Unless given, the one that the calibrator was fitted with, where a package "
            "has it.",
        ),
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Use the weights in this folder.")
    ] = None,
    each: Annotated[int, typer.Option(min=1, help="Questions of each set, and over each manual.")] = 60,
    manuals: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Index of some of the manuals that training/manuals names for this: their questions are asked, too, "
            "and those over the others, which it does not answer.",
        ),
    ] = None,
    run: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Keeps what was answered; the same file again goes on from there. Of manuals in a file beside it.",
        ),
    ] = Path("runs/confidence.jsonl"),
    threads: Threads = None,
) -> None:
    """Fit the confidence of yes or no, lists and explanations, on texts that no training has seen.

    Answers are given with the settings that the calibrator was fitted with. What any confidence was worth on these
    texts is kept too, for responses to tell. The texts are of the sets with evidence, which `loccit train data DIR
    --evidence-only` prepares in minutes, and of manuals.

    Example: loccit train confidence --into app/answering/weights/calibrator-strong.json
    """
    from app.answering.confidence.calibrator import Calibrator
    from app.answering.confidence.shipping import fitted_by, ship_calibrator
    from app.answering.shipped_weights import weights_folders
    from training.confidence.held_out_answers import held_out_outcomes, manual_outcomes
    from training.confidence.law import with_law
    from training.data.evidence_shards import PreparedEvidence
    from training.data.manuals import CONFIDENCE_QUESTIONS, ManualQuestions

    calibrator, earlier = Calibrator.load(into), fitted_by(into)
    evidence, console = PreparedEvidence(prepared), Console(stderr=True)
    given = {
        "reader": reader,
        "language_model": language_model,
        "weights": weights,
        "threads": threads,
    }
    named = {name: one for name, one in given.items() if one is not None}
    service = _service_fitted(calibrator, into, {"index": index, **named})
    over = None if manuals is None else _service_fitted(calibrator, into, {"index": manuals, **named})
    outcomes = held_out_outcomes(evidence, each, service.over, _answering(service), console, run)
    if over is not None:
        questions = ManualQuestions(CONFIDENCE_QUESTIONS, over.index, over.encoder)
        beside = run.with_stem(f"{run.stem}-manuals")
        outcomes += manual_outcomes(
            questions,
            over.pipeline,
            _answering(over),
            console,
            beside,
            each=each,
            elsewhere=True,
        )
    fitted = with_law(calibrator, outcomes)
    fitted.save(into)
    command = command_line(
        "train",
        "confidence",
        into=into.name,
        reader=reader,
        each=each,
        manuals=None if manuals is None else manuals.name,
    )
    ship_calibrator(fitted, into, _after(earlier, command), weights_folders(weights))
    console.print(plain(f"The law is in {into}; on sets that it had not seen: {fitted.quality['broad']}"))
    if "elsewhere" in fitted.quality:
        console.print(plain(f"The confidence of short answers there: {fitted.quality['elsewhere']}"))


def _answering(service: "AnswerService") -> dict[str, Any]:
    """What the candidates depend on; which of them is chosen, and how surely, is what the law is to say."""
    description = service.description()
    return {name: description[name] for name in ("models", "stages")}


def _service_fitted(calibrator: "Calibrator", into: Path, given: Mapping[str, object]) -> "AnswerService":
    """The service with the settings that the calibrator in ``into`` was fitted with, and with these.

    Its language model is loaded for the first question that has to be asked.

    Raises:
        LoccitError: when it was fitted on other models.
    """
    from app.service.assembly import LAZY_PARTS, open_service

    settings = Settings.of(**{**_settings_fitted_with(calibrator), **given})
    service = open_service(settings, abstains=False, parts=LAZY_PARTS)
    here, fitted = service.models.digests(service.encoder), calibrator.fitted_on.models
    if any(fitted.get(part) != here.get(part) for part in _MODELS):
        raise LoccitError(
            f"{into} was fitted on other models than those that answer here; give the reader, the language model and "
            "the weights that it was fitted with."
        )
    return service


def _settings_fitted_with(calibrator: "Calibrator") -> dict[str, Any]:
    """What shaped the answers, the language model among it where a package has it.

    What is no setting, such as the rules, is left out.
    """
    fitted = calibrator.fitted_on
    settings = {name: value for name, value in fitted.settings.items() if name in Settings.model_fields}
    digest = fitted.models.get("language_model")
    named = next((file.name for file in LANGUAGE_MODELS.values() if file.sha256 == digest), None)
    return settings if named is None else {**settings, "language_model": named}


def _after(earlier: str | None, command: str) -> str:
    """The commands that made a calibrator: what an earlier fit of the same law added is replaced by this one."""
    own = command.partition(" --")[0]
    kept = [one for one in (earlier or "").split(_THEN) if one and not one.startswith(own)]
    return _THEN.join([*kept, command])
