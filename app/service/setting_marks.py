"""Marks on a setting: what it shapes, and how it is typed on the command line.

A setting carries its marks in its type: ``top_k: Annotated[int, Shapes(Stage.RETRIEVE), Option("-k")] = Field(20)``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from app.answering.stages import Stage

Mark = TypeVar("Mark")


@dataclass(frozen=True, slots=True)
class Shapes:
    """What depends on the value of a setting. Every setting carries this mark."""

    stage: Stage | None
    """The first stage whose outcome depends on it. A run with another value takes nothing over from there on."""
    calibrator: bool = True
    """Whether a calibrator applies only to the value that it was fitted with."""
    recorded: tuple[str, Callable[[Any], object]] | None = None
    """Name and value in the stage's record, made from the setting's value. None: the setting as it is."""


SHAPES_NOTHING = Shapes(None, calibrator=False)
"""Neither the outcome of a kept stage nor the features of an answer depend on the setting."""
SHAPES_BY_DIGEST = Shapes(None, calibrator=False)
"""The setting names an index or a model. Stage and calibrator record the digest of that instead of the name."""


@dataclass(frozen=True, slots=True)
class Option:
    """How a setting is typed on the command line. A setting without this mark comes from the environment alone."""

    short: str | None = None
    """A second name, such as ``-k``."""
    metavar: str | None = None
    """What stands for the value in the help. None: the name of its type."""
    help: str | None = None
    """Its text in the help. None: the setting's description."""
    everywhere: bool = True
    """Every command that answers takes it. False: only the commands that ask for it by name."""
    resolved: bool = False
    """The command itself needs the value, so it gets the environment's or the default where none is typed."""


def mark_of(field: FieldInfo, kind: type[Mark]) -> Mark | None:
    """The field's mark of this kind. None where it has none."""
    return next((mark for mark in field.metadata if isinstance(mark, kind)), None)


def stage_settings(settings: BaseSettings, stage: Stage) -> dict[str, Any]:
    """The settings that the outcome of a stage depends on, by name, as its record keeps them in JSON.

    Raises:
        TypeError: when a setting does not say what it shapes.
    """
    values = settings.model_dump(mode="json")
    record = {}
    for name, shapes in _shapes(type(settings)).items():
        if shapes.stage is stage:
            key, value_of = shapes.recorded or (name, lambda value: value)
            record[key] = value_of(values[name])
    return record


def calibrator_settings(settings: BaseSettings) -> dict[str, Any]:
    """The settings that have to agree for a calibrator to apply, by name, in JSON.

    Raises:
        TypeError: when a setting does not say what it shapes.
    """
    values = settings.model_dump(mode="json")
    return {name: values[name] for name, shapes in _shapes(type(settings)).items() if shapes.calibrator}


def _shapes(kind: type[BaseSettings]) -> dict[str, Shapes]:
    marks = {name: mark_of(field, Shapes) for name, field in kind.model_fields.items()}
    unmarked = [name for name, mark in marks.items() if mark is None]
    if unmarked:
        raise TypeError(
            f"The setting {unmarked[0]} does not say what it shapes; mark it with Shapes(...), SHAPES_BY_DIGEST or "
            "SHAPES_NOTHING."
        )
    return {name: mark for name, mark in marks.items() if mark is not None}
