"""`loccit train retrofit-data` and `loccit train retrofit`: RETRO's cross-attention into a language model."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.service.settings import LANGUAGE_MODEL_CHOICES
from common.packaged import LANGUAGE_MODELS, SMOLLM2, default_cache_dir
from common.wording import command_line
from index_builder.corpora.opening import open_corpus
from index_builder.corpora.types import Corpus, Record
from retriever.encoder import DEFAULT_ENCODER
from retriever.types import Document

_DATA = Path("data/retrofit")
LanguageModel = Annotated[str, typer.Option(help=LANGUAGE_MODEL_CHOICES)]
AllowDownload = Annotated[
    bool, typer.Option("--allow-download", help="Fetch what is not here from the Hugging Face hub.")
]
DataFolder = Annotated[Path, typer.Option("--data", metavar="DIR", help="Folder of the prepared data.")]


def retrofit_data(
    corpus: Annotated[
        str, typer.Argument(metavar="CORPUS", help="What the database holds: as for `loccit index build`.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the data.")] = _DATA,
    language_model: LanguageModel = SMOLLM2.name,
    encoder: Annotated[str, typer.Option(help="What makes the chunks' keys.")] = DEFAULT_ENCODER,
    windows: Annotated[
        int, typer.Option(min=1, help="Training sequences, of 1,024 tokens at most, to find neighbours for.")
    ] = 3_000,
    seed: Annotated[int, typer.Option(min=0, help="Which documents are held out, and the order.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless given.")] = None,
    allow_download: AllowDownload = False,
) -> None:
    """Cut a corpus into chunks, embed them, find the neighbours to learn from, and hold documents out.

    Killed at any moment, it goes on when run again.

    Example: loccit train retrofit-data articles.jsonl.xz --out data/retrofit
    """
    from app.answering.language_models.transformers_lm import load_model
    from app.answering.retro.tokenizer import RetroTokenizer
    from common.torch_runtime import use_threads
    from retriever.encoder import load_encoder
    from training.retrofit.prepare import RetrofitDataSettings, prepare

    if threads is not None:
        use_threads(threads)
    base = load_model(
        language_model, cache_dir=default_cache_dir(), offline=not allow_download, dtype="bfloat16"
    )
    prepare(
        _Documents(open_corpus(corpus, allow_download=allow_download)),
        out,
        RetroTokenizer(base.tokenizer),
        load_encoder(encoder, allow_download=allow_download),
        Console(stderr=True),
        settings=RetrofitDataSettings(windows=windows, seed=seed),
    )


def retrofit(
    data: DataFolder = _DATA,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for checkpoint, log and weights.")
    ] = Path("runs/retrofit"),
    language_model: LanguageModel = SMOLLM2.name,
    tokens: Annotated[
        int, typer.Option(min=1, help="Tokens read in all, which fixes the schedule.")
    ] = 5_000_000,
    neighbours: Annotated[int, typer.Option(min=1, help="Neighbours of each chunk, RETRO's k.")] = 2,
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Begin with the retrofit in this folder, such as one of an earlier run."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of what begins at random, and of the order.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; all cores unless given.")] = None,
    hours: Annotated[
        float | None, typer.Option(min=0, help="Stop after so long, to be gone on with later.")
    ] = None,
    allow_download: AllowDownload = False,
) -> None:
    """Train gated chunked cross-attention and a neighbour encoder into a language model that stays as it is.

    Run again with the same options, it goes on from its last checkpoint. Computes on a GPU where there is one.

    Example: loccit train retrofit --data data/retrofit --out runs/retrofit --tokens 700000 --threads 1
    """
    from app.answering.language_models.transformers_lm import load_model
    from training.loop.run import Pace
    from training.retrofit.train import RetrofitSettings, train

    packaged = LANGUAGE_MODELS.get(language_model)
    train(
        data,
        out,
        load_model(language_model, cache_dir=default_cache_dir(), offline=not allow_download, dtype=None),
        Console(stderr=True),
        settings=RetrofitSettings(tokens=tokens, neighbours=neighbours, seed=seed),
        pace=Pace(threads=threads, hours=hours),
        start=start,
        licence="that of the base model" if packaged is None else packaged.licence,
        command=command_line(
            "train",
            "retrofit",
            language_model=language_model,
            tokens=tokens,
            neighbours=neighbours,
            start=start,
            seed=seed,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Documents:
    """The documents of a corpus, which may be read again."""

    corpus: Corpus

    def __iter__(self) -> Iterator[Document]:
        for item in self.corpus:
            if isinstance(item, Record):
                yield item.document
