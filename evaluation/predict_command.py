"""What `loccit evaluate predict` does: open the service, choose the questions, and keep the answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from app.service.assembly import AnswerService, open_service
from app.service.settings import Settings
from common.errors import InvalidRequestError
from evaluation.configurations import FULL, configuration_of, pipeline_for, require_suitable
from evaluation.predict import predict
from evaluation.questions import load_questions
from evaluation.replay import NOTHING, replay_of
from evaluation.slices import chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which questions are answered, in which configuration, into which folder."""

    questions: str
    """A name or a file (see ``load_questions``)."""
    out: Path
    configuration: str = FULL
    without_gold: bool = False
    """Whether each question is asked again without its gold document."""
    side: str | None = None
    sample: int | None = None
    earlier: Path | None = None
    """The run whose first stages are taken over where they fit."""


def predict_with(asked: Asked, given: Mapping[str, Any]) -> AnswerService:
    """Answer these questions into their folder, whatever the confidence; returns what answered.

    ``given``: settings by name; None leaves one as the environment or its default has it.

    Raises:
        LoccitError: when something does not go together, is missing or damaged, before any question is asked.
    """
    configuration = configuration_of(asked.configuration)
    settings = Settings.of(**_combined(given, configuration.settings))
    questions = chosen(
        load_questions(asked.questions),
        side=asked.side,
        sample=asked.sample,
        without_gold=asked.without_gold,
    )
    service = open_service(settings, abstains=False)  # score applies the threshold
    for question in questions:
        require_suitable(question, configuration, service)
    description = {
        **configuration.described(service.description()),
        "questions": {
            "questions": asked.questions,
            "side": asked.side,
            "sample": asked.sample,
            "without_gold": asked.without_gold,
        },
    }
    predict(
        questions,
        lambda question: pipeline_for(question, configuration, service),
        description,
        asked.out,
        Console(stderr=True),
        replay=NOTHING if asked.earlier is None else replay_of(asked.earlier, description),
    )
    return service


def _combined(given: Mapping[str, Any], fixed: Mapping[str, str]) -> dict[str, Any]:
    """The settings that are given with those that a configuration fixes, which none may contradict."""
    for name, value in fixed.items():
        if given.get(name) not in (None, value):
            raise InvalidRequestError(
                f"This configuration sets {name} to {value}, so --{name} {given[name]} "
                "does not go with it; leave it out."
            )
    return {**given, **fixed}
