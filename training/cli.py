"""`loccit train`: make the training data, and train what is shipped."""

from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from app.service.settings import DEFAULT_INDEX, LANGUAGE_MODEL_CHOICES, ReaderKind, Settings
from common.errors import LoccitError
from common.packaged import DEFAULT_LANGUAGE_MODEL
from common.terminal_text import plain
from common.wording import command_line
from training.reader.ablation import Ablation
from training.required import require
from training.retrofit_command import retrofit, retrofit_answers, retrofit_data, retrofit_report

if TYPE_CHECKING:
    from app.answering.confidence.calibrator import Calibrator
    from training.adapter.train import AdapterSettings
    from training.loop.run import Pace

cli = typer.Typer(
    help="Make the training data, and train the weights that are shipped.", no_args_is_help=True
)

PreparedFolder = Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder of the prepared data.")]
OutFolder = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder for checkpoint, log and weights.")
]
Threads = Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless given.")]
Hours = Annotated[float | None, typer.Option(min=0, help="Stop after so long, to be gone on with later.")]
LanguageModel = Annotated[
    str,
    typer.Option(help=LANGUAGE_MODEL_CHOICES),
]
QuestionsLearnt = Annotated[
    int, typer.Option(min=1, help="Questions learnt from in all, which fixes the schedule.")
]
AnswersOf = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Judge the answers of the reader in this folder; the shipped one unless given."
    ),
]
PassageSeed = Annotated[int, typer.Option(min=0, help="Of the order and the choice of passages.")]
AllowDownload = Annotated[
    bool, typer.Option("--allow-download", help="Fetch the language model from the Hugging Face hub.")
]
_PREPARED = Path("data/training")

for command in (retrofit_data, retrofit, retrofit_report, retrofit_answers):
    cli.command()(command)


@cli.command()
def data(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="Folder with SQuAD, NQ and TriviaQA training questions and an encyclopedia."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the prepared data.")
    ] = _PREPARED,
    keep_out: Annotated[
        list[Path] | None,
        typer.Option(
            "--keep-out", metavar="FILE", help="Another file whose questions are not to be trained on."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Which questions are held out, and sampled.")] = 0,
    questions: Annotated[
        int | None,
        typer.Option(min=1, help="Learn from so many questions of each set at most; from all unless given."),
    ] = None,
    evidence_only: Annotated[
        bool,
        typer.Option(
            "--evidence-only",
            help="Stop after the sets with evidence, before passages are mined: all that train confidence needs.",
        ),
    ] = False,
) -> None:
    """Split the sets with evidence into passages, find passages for the other training questions, and label them.

    Questions that occur in any other question file of DIR, or among Loccit's own, are left out and counted; some
    are held out for development. Killed at any moment, it goes on when run again.

    Example: loccit train data shared/data --out data/training
    """
    from common.packaged import package_folder
    from training.data.evidence_shards import prepare_evidence_alone
    from training.data.prepare import DataSettings, prepare

    evaluation = package_folder("evaluation")
    own = [] if evaluation is None else sorted((evaluation / "data").glob("*.jsonl"))
    console, kept_out = Console(stderr=True), [*own, *(keep_out or [])]
    if evidence_only:
        prepare_evidence_alone(folder, out, console, keep_out=kept_out)
    else:
        prepare(
            folder, out, console, settings=DataSettings(seed=seed, questions=questions), keep_out=kept_out
        )


BaseName = Annotated[
    str, typer.Option(help="The base model: minilm, mpnet, or a folder with a BERT or MPNet encoder.")
]
ReaderRank = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Learn low-rank changes of this rank, which suits a larger base model; all weights unless given.",
    ),
]
ReaderStart = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Begin with the reader of the same rank in this folder, such as runs/reader/weights, at a lower rate.",
    ),
]
Broad = Annotated[
    bool,
    typer.Option(
        "--broad",
        help="Learn evidence, the kind of answer, and yes or no besides, from the sets with evidence.",
    ),
]
Without = Annotated[
    Ablation | None, typer.Option(help="Leave this part of the data out, to see what it gives.")
]


@cli.command()
def reader(
    prepared: PreparedFolder = _PREPARED,
    out: OutFolder = Path("runs/reader"),
    groups: QuestionsLearnt = 140_000,
    base: BaseName = "minilm",
    rank: ReaderRank = None,
    start: ReaderStart = None,
    broad: Broad = False,
    seed: PassageSeed = 0,
    threads: Threads = None,
    hours: Hours = None,
    without: Without = None,
) -> None:
    """Train the reader; run again with the same options, it goes on from its last checkpoint.

    Example: loccit train reader --out runs/reader --threads 2

    Example: loccit train reader --base mpnet --rank 32 --groups 12000 --threads 1
    """
    if rank is not None:
        require("peft")
    elif start is not None:
        raise LoccitError("--start begins with a reader of low-rank changes; give their --rank too.")
    from training.loop.run import Pace
    from training.reader.train import TrainingSettings, base_folder, train

    settings = TrainingSettings.of(
        rank, groups=groups, seed=seed, going_on=start is not None, broad=broad, without=without
    )
    train(
        prepared,
        out,
        Console(stderr=True),
        settings=settings,
        pace=Pace(threads=threads, hours=hours, evaluate_minutes=15 if rank is None else 30),
        base=base_folder(base),
        start=start,
        command=command_line(
            "train",
            "reader",
            groups=groups,
            base=None if base == "minilm" else base,
            rank=rank,
            start=start,
            broad=broad,
            seed=seed,
            without=without,
        ),
    )


@cli.command()
def adapter(
    prepared: PreparedFolder = _PREPARED,
    out: OutFolder = Path("runs/adapter"),
    language_model: LanguageModel = DEFAULT_LANGUAGE_MODEL,
    examples: QuestionsLearnt = 12_000,
    rank: Annotated[int, typer.Option(min=1, help="Of the adapter's matrices.")] = 16,
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Begin with the adapter in this folder, such as runs/adapter/weights, at a lower rate.",
        ),
    ] = None,
    averaged: Annotated[
        bool,
        typer.Option(
            "--averaged",
            help="Ship the mean of the adapter begun with and the one trained, which forgets less; a training that is "
            "finished can be run again for it.",
        ),
    ] = False,
    answers_of: AnswersOf = None,
    seed: PassageSeed = 0,
    threads: Threads = None,
    hours: Hours = None,
    allow_download: AllowDownload = False,
) -> None:
    """Train a language model to answer from passages, to point at what backs an answer, and to judge answers.

    Run again with the same options, it goes on from its last checkpoint. Distantly supervised questions are
    learnt from where the trained reader agrees. The answers that it judges are that reader's, or with --answers-of
    another's: one that has not learnt from these questions makes mistakes on them as when serving. With a C++
    compiler (g++ or clang++) it is 1.6 times as fast.

    Example: loccit train adapter --out runs/adapter --threads 2
    """
    require("peft")
    from training.adapter.train import RATE_GOING_ON, AdapterSettings
    from training.loop.run import Pace

    settings = AdapterSettings(examples=examples, rank=rank, seed=seed, averaged=averaged)
    _train_adapter(
        prepared,
        out,
        language_model,
        settings if start is None else replace(settings, rate=RATE_GOING_ON),
        start=start,
        answers_of=answers_of,
        pace=Pace(threads=threads, hours=hours),
        offline=not allow_download,
    )


@cli.command()
def lm_head(
    start: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="Begin with the adapter in this folder, such as app/answering/weights."
        ),
    ],
    prepared: PreparedFolder = _PREPARED,
    out: OutFolder = Path("runs/lm-head"),
    language_model: LanguageModel = DEFAULT_LANGUAGE_MODEL,
    examples: QuestionsLearnt = 12_000,
    answers_of: AnswersOf = None,
    seed: PassageSeed = 0,
    threads: Threads = None,
    hours: Hours = None,
    allow_download: AllowDownload = False,
) -> None:
    """Train the citation head alone: what the language model writes stays, where it points and how it judges change.

    The file that it leaves holds the adapter too, as it was. Run again with the same options, it goes on from its
    last checkpoint.

    Example: loccit train lm-head --start app/answering/weights --threads 2
    """
    require("peft")
    from training.adapter.train import RATE_GOING_ON, AdapterSettings
    from training.loop.run import Pace

    _train_adapter(
        prepared,
        out,
        language_model,
        AdapterSettings(examples=examples, seed=seed, rate=RATE_GOING_ON, head_only=True),
        start=start,
        answers_of=answers_of,
        pace=Pace(threads=threads, hours=hours),
        offline=not allow_download,
    )


def _train_adapter(
    prepared: Path,
    out: Path,
    language_model: str,
    settings: "AdapterSettings",
    *,
    start: Path | None,
    answers_of: Path | None,
    pace: "Pace",
    offline: bool,
) -> None:
    from app.answering.cross_encoders.reader_model import load_reader_model
    from app.answering.language_models.transformers_lm import load_model
    from common.packaged import LANGUAGE_MODELS, default_cache_dir
    from training.adapter.train import train

    packaged = LANGUAGE_MODELS.get(language_model)
    others = None if answers_of is None else load_reader_model(folder=answers_of)
    train(
        prepared,
        out,
        load_model(language_model, cache_dir=default_cache_dir(), offline=offline, dtype=None),
        Console(stderr=True),
        settings=settings,
        pace=pace,
        answers_of=others,
        start=start,
        fused=any(map(which, ("g++", "clang++"))),
        licence="that of the base model" if packaged is None else packaged.licence,
        command=command_line(
            "train",
            "lm-head" if settings.head_only else "adapter",
            language_model=language_model,
            examples=settings.examples,
            rank=None if settings.head_only else settings.rank,
            seed=settings.seed,
            start=start,
            averaged=settings.averaged,
            answers_of=answers_of,
        ),
    )


@cli.command()
def support(
    prepared: PreparedFolder = _PREPARED,
    out: OutFolder = Path("runs/support"),
    claims: Annotated[
        int, typer.Option(min=1, help="Claims learnt from in all, which fixes the schedule.")
    ] = 30_000,
    rank: Annotated[int, typer.Option(min=1, help="Of the changes to the reader's matrices.")] = 16,
    seed: Annotated[int, typer.Option(min=0, help="Of the order and the corruptions.")] = 0,
    threads: Threads = None,
    hours: Hours = None,
) -> None:
    """Train the support scorer over the shipped reader: which quotes back which claims.

    Run again with the same options, it goes on from its last checkpoint. Half of the claims are corrupted.

    Example: loccit train support --out runs/support --threads 2
    """
    require("peft")
    from training.loop.run import Pace
    from training.support.train import SupportTrainingSettings, train

    train(
        prepared,
        out,
        Console(stderr=True),
        settings=SupportTrainingSettings(claims=claims, rank=rank, seed=seed),
        pace=Pace(threads=threads, hours=hours),
        command=command_line("train", "support", claims=claims, rank=rank, seed=seed),
    )


@cli.command()
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
    ] = _PREPARED,
    index: Annotated[Path, typer.Option(help="Whose encoder is used.")] = DEFAULT_INDEX,
    reader: Annotated[ReaderKind, typer.Option(help="Whose answers are judged.")] = ReaderKind.STRONG,
    weights: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Use the weights in this folder.")
    ] = None,
    each: Annotated[int, typer.Option(min=1, help="Questions of each set.")] = 60,
    run: Annotated[
        Path,
        typer.Option(metavar="FILE", help="Keeps what was answered; the same file again goes on from there."),
    ] = Path("runs/confidence.jsonl"),
    threads: Threads = None,
) -> None:
    """Fit the confidence of yes or no, lists and explanations, on texts that no training has seen.

    Answers are given with the settings that the calibrator was fitted with. What any confidence was worth on these
    texts is kept too, for responses to tell. The texts are of the sets with evidence, which `loccit train data DIR
    --evidence-only` prepares in minutes.

    Example: loccit train confidence --into app/answering/weights/calibrator-strong.json
    """
    from app.answering.confidence.calibrator import Calibrator
    from app.answering.confidence.shipping import fitted_by, ship_calibrator
    from app.answering.shipped_weights import weights_folders
    from app.service.assembly import open_service
    from training.confidence.held_out_answers import held_out_outcomes
    from training.confidence.law import with_law
    from training.data.evidence_shards import PreparedEvidence

    calibrator, earlier = Calibrator.load(into), fitted_by(into)
    evidence, console = PreparedEvidence(prepared), Console(stderr=True)
    given = {"index": index, "reader": reader, "weights": weights, "threads": threads}
    settings = Settings.of(**{**_settings_fitted_with(calibrator), **given})
    service = open_service(settings, abstains=False)
    if not calibrator.fitted_on.knows(service.models.digests(service.encoder)):
        raise LoccitError(
            f"{into} was fitted on other models than those that answer here; give the reader and the weights that it "
            "was fitted with."
        )
    outcomes = held_out_outcomes(evidence, each, service.over, service.description(), console, run)
    fitted = with_law(calibrator, outcomes)
    fitted.save(into)
    command = command_line("train", "confidence", into=into.name, reader=reader, each=each)
    ship_calibrator(fitted, into, " && ".join(filter(None, [earlier, command])), weights_folders(weights))
    console.print(plain(f"The law is in {into}; on sets that it had not seen: {fitted.quality['broad']}"))
    if "elsewhere" in fitted.quality:
        console.print(plain(f"The confidence of short answers there: {fitted.quality['elsewhere']}"))


def _settings_fitted_with(calibrator: "Calibrator") -> dict[str, Any]:
    """What shaped the answers, beside models; what is no setting, such as the rules, is left out."""
    fitted = calibrator.fitted_on.settings
    return {name: value for name, value in fitted.items() if name in Settings.model_fields}
