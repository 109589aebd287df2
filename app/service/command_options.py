"""Options of the command line that several commands share, each defined once."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from app.answering.options import AnswerLength
from app.service.settings import (
    DEFAULT_INDEX,
    AdapterKind,
    CiterKind,
    ConfidenceKind,
    GeneratorKind,
    ReaderKind,
    SupportKind,
)
from retriever.types import RetrievalMode

Options = dict[str, Any]

# Options that several commands share: annotation and default. Of the first ones each sets the setting of its name,
# and None leaves it as the environment or the default has it.
_SETTING_OPTIONS: dict[str, tuple[Any, Any]] = {
    "index": (
        Annotated[
            Path, typer.Option("--index", metavar="DIR", envvar="LOCCIT_INDEX", help="Folder of the index.")
        ],
        DEFAULT_INDEX,
    ),
    "top_k": (Annotated[int | None, typer.Option("--top-k", "-k", help="Passages to retrieve.")], None),
    "min_confidence": (
        Annotated[
            float | None,
            typer.Option(help="Abstain below this confidence, 0 to 1; 0 never abstains for it."),
        ],
        None,
    ),
    "target_accuracy": (
        Annotated[
            float | None,
            typer.Option(
                help="Instead of --min-confidence: abstain so that this share of the answers is right, as calibrated."
            ),
        ],
        None,
    ),
    "length": (
        Annotated[
            AnswerLength | None,
            typer.Option(
                help="long: the sentences that back the answer and up to two more of its passage, each quoted."
            ),
        ],
        None,
    ),
    "retrieval": (Annotated[RetrievalMode | None, typer.Option(help="Which search is used.")], None),
    "reader": (
        Annotated[
            ReaderKind | None,
            typer.Option(help="Who reads the passages; lexical is word overlap, untrained."),
        ],
        None,
    ),
    "generator": (
        Annotated[
            GeneratorKind | None, typer.Option(help="Who writes answers; reader needs no language model.")
        ],
        None,
    ),
    "language_model": (
        Annotated[
            str | None,
            typer.Option(
                help="gemma-3-270m, smollm2-135m, a .gguf file of Gemma 3 or SmolLM2, or a causal LM by folder or "
                "hub name."
            ),
        ],
        None,
    ),
    "adapter": (
        Annotated[
            AdapterKind | None,
            typer.Option(help="none: the language model as it was published, answering by examples."),
        ],
        None,
    ),
    "citer": (
        Annotated[
            CiterKind | None,
            typer.Option(
                help="Who points at what is quoted: reader or lm-head; constrained writes its quotes."
            ),
        ],
        None,
    ),
    "support": (
        Annotated[
            SupportKind | None,
            typer.Option(
                help="Who judges how well a quote backs an answer; lexical is word overlap, untrained."
            ),
        ],
        None,
    ),
    "confidence": (
        Annotated[
            ConfidenceKind | None,
            typer.Option(help="fitted: where a calibrator knows the models; score: as if none did."),
        ],
        None,
    ),
    "candidates": (
        Annotated[
            int | None,
            typer.Option(
                "--candidates", "-n", help="Answers that the language model writes; the best one is given."
            ),
        ],
        None,
    ),
    "weights": (
        Annotated[
            Path | None,
            typer.Option(
                metavar="DIR",
                help="Use the weights that `loccit train` left here, in place of the shipped ones.",
            ),
        ],
        None,
    ),
    "threads": (Annotated[int | None, typer.Option(help="CPU threads; all cores unless given.")], None),
    "allow_download": (
        Annotated[
            bool | None,
            typer.Option("--allow-download", help="Fetch models from the hub when they are not here."),
        ],
        None,
    ),
}
_RUN_OPTIONS: dict[str, tuple[Any, Any]] = {
    "questions": (
        Annotated[
            str,
            typer.Argument(
                metavar="QUESTIONS",
                help="own (the 150 that come with Loccit), nq-open or nq-gold (see --download), or a file: NQ-open, "
                "SQuAD, TruthfulQA, ClapNQ, or JSON Lines with question and answers.",
            ),
        ],
        inspect.Parameter.empty,
    ),
    "out": (
        Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the run.")],
        inspect.Parameter.empty,
    ),
    "configuration": (
        Annotated[
            str,
            typer.Option(
                metavar="NAME",
                help="full (the service as it is set), dense, lexical, first-sentence, tfidf-sentence, gold-answer, "
                "closed-book, top-passage or gold-document.",
            ),
        ],
        "full",
    ),
    "without_gold": (
        Annotated[
            bool,
            typer.Option(
                "--without-gold", help="Ask every question again without its gold document: unanswerable."
            ),
        ],
        False,
    ),
    "side": (
        Annotated[str | None, typer.Option(metavar="SIDE", help="Only the questions of calibrate or test.")],
        None,
    ),
    "sample": (
        Annotated[int | None, typer.Option(min=1, help="Only so many of the questions, always the same.")],
        None,
    ),
    "earlier": (
        Annotated[
            Path | None,
            typer.Option(
                "--from", metavar="RUN", help="Take over the first stages of this run where they fit."
            ),
        ],
        None,
    ),
}
_SHARED_OPTIONS = {**_SETTING_OPTIONS, **_RUN_OPTIONS}
SERVICE = (
    "index",
    "top_k",
    "retrieval",
    "reader",
    "generator",
    "language_model",
    "adapter",
    "citer",
    "support",
    "confidence",
    "candidates",
    "weights",
    "allow_download",
)
PREDICT = (*_RUN_OPTIONS, *SERVICE, "length")
CALIBRATE = ("questions", "side", "sample", *(name for name in SERVICE if name != "confidence"))


def with_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command these shared options, together as its keyword ``options``."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def with_them(**given: Any) -> None:  # noqa: ANN401 - whatever the command takes
            options = {name: given.pop(name) for name in names}
            command(**given, options=options)

        own = [one for one in inspect.signature(command).parameters.values() if one.name != "options"]
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name in names
            for annotation, default in [_SHARED_OPTIONS[name]]
        ]
        parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*own, *added)]
        # typer reads the options of a command from these
        with_them.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        with_them.__annotations__ = {one.name: one.annotation for one in parameters}
        with_them.__name__, with_them.__doc__ = command.__name__, command.__doc__
        return with_them

    return decorate
