"""`loccit train`: make the training data, and train what is shipped."""

from dataclasses import replace
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from common.packaged import DEFAULT_LANGUAGE_MODEL
from common.wording import command_line
from training.command_options import (
    PREPARED,
    Hours,
    LanguageModel,
    OutFolder,
    PassageSeed,
    PreparedFolder,
    Threads,
)
from training.confidence_command import confidence
from training.reader.ablation import Ablation
from training.required import require
from training.retrofit_command import retrofit, retrofit_answers, retrofit_data, retrofit_report

if TYPE_CHECKING:
    from training.adapter.train import AdapterSettings
    from training.loop.run import Pace

cli = typer.Typer(
    help="Make the training data, and train the weights that are shipped.", no_args_is_help=True
)

BROAD_SHARE = 0.55
"""Of a broad reader's questions, those of the sets with evidence."""

QuestionsLearnt = Annotated[
    int, typer.Option(min=1, help="Questions learnt from in all, which fixes the schedule.")
]
AnswersOf = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Judge the answers of the reader in this folder; the shipped one unless given."
    ),
]
AllowDownload = Annotated[
    bool, typer.Option("--allow-download", help="Fetch the language model from the Hugging Face hub.")
]

Manuals = Annotated[
    Path | None,
    typer.Option(
        metavar="INDEX",
        help="Learn from Loccit's own questions over manuals besides: an index of the manuals that "
        "training/manuals/README.md names.",
    ),
]

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
    ] = PREPARED,
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
    manuals: Manuals = None,
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
    from training.data.manuals import open_manual_questions
    from training.data.prepare import DataSettings, prepare

    evaluation = package_folder("evaluation")
    own = [] if evaluation is None else sorted((evaluation / "data").glob("*.jsonl"))
    console, kept_out = Console(stderr=True), [*own, *(keep_out or [])]
    over = None if manuals is None else open_manual_questions(manuals)
    if evidence_only:
        prepare_evidence_alone(folder, out, console, keep_out=kept_out, manuals=over)
    else:
        prepare(
            folder,
            out,
            console,
            settings=DataSettings(seed=seed, questions=questions),
            keep_out=kept_out,
            manuals=over,
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
        help="Begin with the reader of the same rank, or of none, in this folder, such as runs/reader/weights, at a "
        "lower rate.",
    ),
]
Broad = Annotated[
    bool,
    typer.Option(
        "--broad",
        help="Learn evidence, the kind of answer, and yes or no besides, from the sets with evidence.",
    ),
]
EvidenceShare = Annotated[
    float | None,
    typer.Option(
        min=0.05,
        max=0.95,
        help=f"The share of the questions that are of the sets with evidence; with --broad {BROAD_SHARE} unless given, "
        "else none.",
    ),
]
Without = Annotated[
    Ablation | None, typer.Option(help="Leave this part of the data out, to see what it gives.")
]


@cli.command()
def reader(
    prepared: PreparedFolder = PREPARED,
    out: OutFolder = Path("runs/reader"),
    groups: QuestionsLearnt = 140_000,
    base: BaseName = "minilm",
    rank: ReaderRank = None,
    start: ReaderStart = None,
    broad: Broad = False,
    evidence_share: EvidenceShare = None,
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
    from training.loop.run import Pace
    from training.reader.train import TrainingSettings, base_folder, train

    settings = TrainingSettings.of(
        rank,
        groups=groups,
        seed=seed,
        going_on=start is not None,
        evidence=evidence_share or (BROAD_SHARE if broad else 0.0),
        broad=broad,
        without=without,
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
            evidence_share=evidence_share,
            seed=seed,
            without=without,
        ),
    )


@cli.command()
def adapter(
    prepared: PreparedFolder = PREPARED,
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
        allow_download=allow_download,
    )


@cli.command()
def lm_head(
    start: Annotated[
        Path,
        typer.Option(
            metavar="DIR", help="Begin with the adapter in this folder, such as app/answering/weights."
        ),
    ],
    prepared: PreparedFolder = PREPARED,
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
        allow_download=allow_download,
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
    allow_download: bool,
) -> None:
    from app.answering.cross_encoders.reader_model import load_reader_model
    from training.adapter.train import train
    from training.base_model import licence_on, load_base

    others = None if answers_of is None else load_reader_model(folder=answers_of)
    train(
        prepared,
        out,
        load_base(language_model, allow_download=allow_download),
        Console(stderr=True),
        settings=settings,
        pace=pace,
        answers_of=others,
        start=start,
        fused=any(map(which, ("g++", "clang++"))),
        licence=licence_on(language_model),
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
    prepared: PreparedFolder = PREPARED,
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


cli.command()(confidence)
