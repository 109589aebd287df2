"""Options of the command line that several commands share: those of the settings, and those of a run."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Optional

import typer
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from app.service.setting_marks import Option, mark_of
from app.service.settings import Settings

Options = dict[str, Any]
FilterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--filter",
        metavar="FIELD=VALUE",
        help="Only documents with this value of this field (`loccit index info` lists the fields). Given again: "
        "another value of the same field, or a further field. 2024, true and false are no texts, '\"2024\"' is one.",
    ),
]
SharedOption = tuple[Any, Any]
"""The annotation that typer reads an option from, and the value where it is not typed."""


def setting_options(kind: type[BaseSettings] = Settings) -> dict[str, SharedOption]:
    """The option of each setting that is typed on the command line, by the setting's name.

    One that is not typed is None: the setting stays as the environment or its default has it.
    """
    prefix = kind.model_config["env_prefix"]
    return {
        name: _setting_option(name, field, option, prefix)
        for name, field in kind.model_fields.items()
        if (option := mark_of(field, Option)) is not None
    }


def service_options(kind: type[BaseSettings] = Settings) -> tuple[str, ...]:
    """The names of the settings that every command which answers takes as options."""
    marks = {name: mark_of(field, Option) for name, field in kind.model_fields.items()}
    return tuple(name for name, option in marks.items() if option is not None and option.everywhere)


def _setting_option(name: str, field: FieldInfo, option: Option, prefix: str) -> SharedOption:
    spelt = [f"--{name.replace('_', '-')}"] + ([] if option.short is None else [option.short])
    typed = typer.Option(
        *spelt,
        metavar=option.metavar,
        help=option.help or field.description,
        envvar=f"{prefix}{name.upper()}" if option.resolved else None,
    )
    if option.resolved:
        return Annotated[field.annotation, typed], field.default
    return Annotated[Optional[field.annotation], typed], None  # noqa: UP045 - the type is not known here


_RUN_OPTIONS: dict[str, SharedOption] = {
    "questions": (
        Annotated[
            str,
            typer.Argument(
                metavar="QUESTIONS",
                help="own (150) or first (100 first questions over the vital articles), which come with Loccit; "
                "nq-open or nq-gold (see --download); or a file: NQ-open, SQuAD, TruthfulQA, ClapNQ, or JSON Lines "
                "with question and answers.",
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
_SHARED_OPTIONS = {**setting_options(), **_RUN_OPTIONS}
SERVICE = service_options()
RUN = tuple(_RUN_OPTIONS)
PREDICT = (*RUN, *SERVICE, "length")
CALIBRATE = ("questions", "side", "sample", "earlier", *(name for name in SERVICE if name != "confidence"))


def with_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command these shared options, together as its keyword ``options``."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def with_them(**given: Any) -> None:  # noqa: ANN401 - whatever the command takes
            options = {name: given.pop(name) for name in names}
            command(**given, options=options)

        own = [
            parameter
            for name, parameter in inspect.signature(command).parameters.items()
            if name != "options"
        ]
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name in names
            for annotation, default in [_SHARED_OPTIONS[name]]
        ]
        parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*own, *added)]
        # typer reads the options of a command from these
        with_them.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        with_them.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        with_them.__name__, with_them.__doc__ = command.__name__, command.__doc__
        return with_them

    return decorate
