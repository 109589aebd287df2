"""A setting says once what it shapes and how it is typed; everything else is read off that."""

from typing import Annotated

import pytest
import typer
from pydantic import Field
from typer.main import get_command

from app.answering.stages import Stage
from app.service.command_options import service_options, setting_options
from app.service.setting_marks import (
    SHAPES_BY_DIGEST,
    SHAPES_NOTHING,
    Option,
    Shapes,
    calibrator_settings,
    mark_of,
    stage_settings,
)
from app.service.settings import Settings


class More(Settings):
    """The settings and one more."""

    neighbours: Annotated[int, Shapes(Stage.GENERATE), Option("-m", metavar="NUMBER")] = Field(
        2, ge=0, description="Passages looked up for each chunk."
    )


class Unmarked(Settings):
    """The settings and one that does not say what it shapes."""

    forgotten: int = 3


def test_every_setting_says_what_it_shapes_or_that_it_shapes_nothing():
    unmarked = [name for name, field in Settings.model_fields.items() if mark_of(field, Shapes) is None]
    assert unmarked == []


@pytest.mark.parametrize(
    "reading", [calibrator_settings, lambda settings: stage_settings(settings, Stage.READ)]
)
def test_a_setting_that_does_not_say_what_it_shapes_is_refused_wherever_that_is_asked(reading):
    with pytest.raises(TypeError, match=r"^The setting forgotten does not say what it shapes; mark it with"):
        reading(Unmarked())


def test_a_setting_that_is_marked_enters_its_stage_and_the_calibrators_settings_and_no_other_stage():
    settings = More(neighbours=7)
    assert stage_settings(settings, Stage.GENERATE) == {
        **stage_settings(Settings(), Stage.GENERATE),
        "neighbours": 7,
    }
    for stage in (Stage.RETRIEVE, Stage.READ):
        assert stage_settings(settings, stage) == stage_settings(Settings(), stage)
    assert calibrator_settings(settings) == {**calibrator_settings(Settings()), "neighbours": 7}


def test_a_setting_that_is_marked_becomes_an_option_of_the_commands_that_answer():
    assert set(service_options(More)) - set(service_options()) == {"neighbours"}
    annotation, default = setting_options(More)["neighbours"]
    assert default is None
    app, typed = typer.Typer(), []

    def command(neighbours=default):
        typed.append(neighbours)

    command.__annotations__ = {"neighbours": annotation}
    app.command()(command)
    (option,) = [option for option in get_command(app).params if option.name == "neighbours"]
    assert set(option.opts) == {"--neighbours", "-m"}
    assert (option.metavar, option.help) == ("NUMBER", "Passages looked up for each chunk.")
    for arguments in ([], ["-m", "3"]):
        get_command(app).main(arguments, standalone_mode=False)
    assert typed == [None, 3]


def test_the_settings_of_stages_and_calibrators_are_those_that_earlier_files_have():
    assert {stage: set(stage_settings(Settings(), stage)) for stage in Stage} == {
        Stage.RETRIEVE: {"retrieval", "top_k"},
        Stage.READ: {"reader", "passages_read", "int8"},
        Stage.GENERATE: {
            "generator",
            "passages_together",
            "quoting",
            "candidates",
            "evidence_tokens",
            "seed",
            "length",
        },
    }
    assert calibrator_settings(Settings()) == {
        "retrieval": "hybrid",
        "top_k": 20,
        "passages_read": 8,
        "passages_together": 2,
        "generator": "lm",
        "citer": "reader",
        "candidates": 1,
        "evidence_tokens": 256,
        "seed": 0,
        "int8": False,
    }


def test_the_commands_that_answer_take_the_options_that_they_took():
    assert set(service_options()) == {
        "index",
        "top_k",
        "retrieval",
        "reader",
        "generator",
        "language_model",
        "model_name",
        "adapter",
        "citer",
        "support",
        "confidence",
        "candidates",
        "int8",
        "weights",
        "allow_download",
    }
    assert set(setting_options()) - set(service_options()) == {
        "length",
        "min_confidence",
        "target_accuracy",
        "threads",
        "log_format",
        "key_file",
    }


@pytest.mark.parametrize("mark", [SHAPES_NOTHING, SHAPES_BY_DIGEST])
def test_what_shapes_nothing_or_is_known_by_its_digest_enters_no_record(mark):
    assert (mark.stage, mark.calibrator) == (None, False)


@pytest.mark.parametrize(("citer", "quoting"), [("reader", False), ("lm-head", False), ("constrained", True)])
def test_a_stage_records_of_the_citer_whether_quotes_are_written_and_a_calibrator_which_it_is(citer, quoting):
    settings = Settings.of(citer=citer)
    assert stage_settings(settings, Stage.GENERATE)["quoting"] is quoting
    assert calibrator_settings(settings)["citer"] == citer


def test_an_option_that_is_needed_at_once_shows_its_default_and_its_variable():
    annotation, default = setting_options()["index"]
    (option,) = annotation.__metadata__
    assert (default, option.envvar) == (Settings.model_fields["index"].default, "LOCCIT_INDEX")


def test_settings_follow_the_environment_under_what_is_given(monkeypatch):
    monkeypatch.setenv("LOCCIT_SEED", "5")
    assert Settings.of(seed=None).seed == 5
    assert Settings.of(seed=6).seed == 6
