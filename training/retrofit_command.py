"""`loccit train retrofit` and the commands around it: RETRO's cross-attention into a language model."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.answering.retro.evidence_mode import EvidenceMode
from common.packaged import SMOLLM2
from common.terminal_text import plain
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
from training.required import require

_DATA = Path("data/retrofit")
_WEIGHTS = Path("runs/retrofit/weights/retrofit-smollm2-135m")
AllowDownload = Annotated[
    bool, typer.Option("--allow-download", help="Fetch what is not here from the Hugging Face hub.")
]


def retrofit_data(
    corpus: Annotated[
        str, typer.Argument(metavar="CORPUS", help="What the database holds: as for `loccit index build`.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the data.")] = _DATA,
    language_model: LanguageModel = SMOLLM2.name,
    encoder: Annotated[
        str,
        typer.Option(help="What makes the chunks' keys; bm25: none, chunks are found by their words."),
    ] = "all-MiniLM-L6-v2",
    windows: Annotated[
        int, typer.Option(min=1, help="Training sequences, of 1,024 tokens at most, to find neighbours for.")
    ] = 3_000,
    seed: Annotated[int, typer.Option(min=0, help="Which documents are held out, and the order.")] = 0,
    threads: Threads = None,
    allow_download: AllowDownload = False,
) -> None:
    """Cut a corpus into chunks, embed them, find the neighbours to learn from, and hold documents out.

    Killed at any moment, it goes on when run again.

    Example: loccit train retrofit-data articles.jsonl.xz --out data/retrofit
    """
    require("datasketch")
    from app.answering.retro.tokenizer import RetroTokenizer
    from common.torch_runtime import use_threads
    from index_builder.corpora.opening import open_corpus
    from retriever.chunk_database import BY_WORDS
    from retriever.encoder import load_encoder
    from training.base_model import load_base
    from training.retrofit.corpus_documents import CorpusDocuments
    from training.retrofit.prepare import RetrofitDataSettings, prepare

    if threads is not None:
        use_threads(threads)
    base = load_base(language_model, allow_download=allow_download, dtype="bfloat16")
    prepare(
        CorpusDocuments(open_corpus(corpus, allow_download=allow_download)),
        out,
        RetroTokenizer(base.tokenizer),
        None if encoder == BY_WORDS else load_encoder(encoder, allow_download=allow_download),
        Console(stderr=True),
        settings=RetrofitDataSettings(windows=windows, seed=seed),
    )


def retrofit(
    data: PreparedFolder = _DATA,
    out: OutFolder = Path("runs/retrofit"),
    language_model: LanguageModel = SMOLLM2.name,
    tokens: Annotated[
        int, typer.Option(min=1, help="Tokens read in all, which fixes the schedule.")
    ] = 5_000_000,
    neighbours: Annotated[int, typer.Option(min=1, help="Neighbours of each chunk, RETRO's k.")] = 2,
    told: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="The share of chunks, at first, of which a neighbour tells how the text goes on, which teaches to "
            "look there; it falls to 0.",
        ),
    ] = 0.0,
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Begin with the retrofit in this folder, such as one of an earlier run."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of what begins at random, and of the order.")] = 0,
    threads: Threads = None,
    hours: Hours = None,
    allow_download: AllowDownload = False,
) -> None:
    """Train gated chunked cross-attention into a language model that stays as it is.

    Run again with the same options, it goes on from its last checkpoint. Computes on a GPU where there is one.

    Example: loccit train retrofit --data data/retrofit --out runs/retrofit --tokens 700000 --threads 1
    """
    from training.base_model import licence_on, load_base
    from training.loop.run import Pace
    from training.retrofit.prepare import require_data
    from training.retrofit.train import RetrofitSettings, train

    require_data(data)
    train(
        data,
        out,
        load_base(language_model, allow_download=allow_download),
        Console(stderr=True),
        settings=RetrofitSettings(tokens=tokens, neighbours=neighbours, seed=seed, told=told),
        pace=Pace(threads=threads, hours=hours),
        start=start,
        licence=licence_on(language_model),
        command=command_line(
            "train",
            "retrofit",
            language_model=language_model,
            tokens=tokens,
            neighbours=neighbours,
            told=told or None,
            start=start,
            seed=seed,
        ),
    )


def retrofit_report(
    data: PreparedFolder = _DATA,
    weights: Annotated[
        Path, typer.Option("--weights", metavar="DIR", help="Folder of the retrofit, as a training left it.")
    ] = _WEIGHTS,
    run: Annotated[
        Path | None, typer.Option("--run", metavar="DIR", help="The training's folder, for its loss curve.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the report.")] = Path(
        "runs/retrofit-report"
    ),
    language_model: LanguageModel = SMOLLM2.name,
    windows: Annotated[
        int | None, typer.Option(min=1, help="Only so many windows of the documents held out.")
    ] = None,
    chunks: Annotated[
        int | None,
        typer.Option(
            min=2, help="Only so many chunks of each window, its first: more documents in the same time."
        ),
    ] = None,
    in_prompt: Annotated[
        bool,
        typer.Option(
            "--in-prompt",
            help="Also measure what the base model makes of two neighbours in its prompt; takes far longer.",
        ),
    ] = False,
    threads: Threads = None,
    allow_download: AllowDownload = False,
) -> None:
    """Measure bits per byte on documents held out, with 0, 1, 2, 4 and 10 neighbours, by what is shared with them.

    Killed at any moment, it goes on when run again.

    Example: loccit train retrofit-report --weights runs/retrofit/weights/retrofit-smollm2-135m --run runs/retrofit
    """
    from app.answering.retro.files import WEIGHTS_FILE, load_retrofit
    from common.packaged import sha256_of
    from common.torch_runtime import use_threads
    from training.base_model import load_base
    from training.retrofit.prepare import require_data
    from training.retrofit.report import report

    require_data(data)
    if threads is not None:
        use_threads(threads)
    base = load_base(language_model, allow_download=allow_download)
    model = load_retrofit(weights, base)
    console = Console(stderr=True)
    report(
        model,
        sha256_of(weights / WEIGHTS_FILE),
        base,
        data,
        out,
        console,
        most_windows=windows,
        most_chunks=chunks,
        run_folder=run,
        in_prompt=in_prompt,
    )
    for line in (out / "report.md").read_text(encoding="utf-8").splitlines():
        console.print(plain(line), soft_wrap=True)


def retrofit_answers(
    mode: Annotated[
        EvidenceMode,
        typer.Argument(help="Where the evidence is: in the prompt, attended to, both, or a soft prefix."),
    ],
    prepared: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Folder of the prepared questions.")
    ] = PREPARED,
    weights: Annotated[
        Path, typer.Option("--weights", metavar="DIR", help="Folder of the retrofit to begin with.")
    ] = _WEIGHTS,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for checkpoint, log and weights.")
    ] = None,
    language_model: LanguageModel = SMOLLM2.name,
    examples: Annotated[
        int, typer.Option(min=1, help="Questions learnt from in all, which fixes the schedule.")
    ] = 3_000,
    held_out: Annotated[
        int, typer.Option(min=1, help="Questions of each set that it is measured on at the end.")
    ] = 100,
    seed: PassageSeed = 0,
    threads: Threads = None,
    hours: Hours = None,
    allow_download: AllowDownload = False,
) -> None:
    """Train a retrofitted language model to answer questions from passages, with low-rank changes to its own weights.

    Run again with the same options, it goes on from its last checkpoint.

    Example: loccit train retrofit-answers attention --weights runs/retrofit/weights/retrofit-smollm2-135m
    """
    require("peft")
    from retriever.encoder import load_encoder
    from training.base_model import licence_on, load_base
    from training.loop.run import Pace
    from training.retrofit.answers import AnswersSettings, train_answers

    train_answers(
        prepared,
        out or Path(f"runs/retrofit-answers-{mode}"),
        load_base(language_model, allow_download=allow_download),
        weights,
        load_encoder() if mode is EvidenceMode.PREFIX else None,
        Console(stderr=True),
        settings=AnswersSettings(mode, examples=examples, held_out=held_out, seed=seed),
        pace=Pace(threads=threads, hours=hours, evaluate_minutes=60.0),  # answers take long to write
        licence=licence_on(language_model),
        command=command_line(
            "train",
            "retrofit-answers",
            str(mode),
            weights=weights,
            language_model=language_model,
            examples=examples,
            held_out=held_out,
            seed=seed,
        ),
    )
