"""The `loccit` command: puts the parts together and turns errors into sentences."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from app.answering.question import checked_question
from app.command_options import CALIBRATE, PREDICT, SERVICE, Options, with_options
from app.settings import ConfidenceKind, Settings
from evaluation.cli import cli as evaluate_cli
from index_builder.cli import cli as index_cli
from retriever.errors import InvalidRequestError, LoccitError
from training.cli import cli as train_cli

if TYPE_CHECKING:
    from app.assembly import AnswerService

cli = typer.Typer(
    help="Loccit answers questions from your documents and quotes them word for word.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
cli.add_typer(index_cli, name="index")
cli.add_typer(train_cli, name="train")
cli.add_typer(evaluate_cli, name="evaluate")

_LISTED = 5  # passages that search lists, unless top_k is set
_IN_PROCESS = (*(name for name in SERVICE if name != "top_k"), "target_accuracy")  # a server has its own


@cli.command()
@with_options("index", "top_k", "retrieval")
def search(question: Annotated[str, typer.Argument(help="What to look for.")], *, options: Options) -> None:
    """List the passages that retrieval finds, best first; no answer is written.

    Example: loccit search 'longest river of Asia' -k 3
    """
    from app.answering.serialise import hit_as_json
    from app.assembly import open_retriever
    from app.response import attribution_as_json
    from app.terminal import show_hits
    from app.wire import Attribution, Hit
    from retriever.index import read_manifest

    question = checked_question(question)
    settings = Settings.of(**options)
    k = settings.top_k if "top_k" in settings.model_fields_set else _LISTED
    hits = open_retriever(settings).retrieve(question, k=k)
    show_hits(
        [Hit(**hit_as_json(hit)) for hit in hits],
        [Attribution(**terms) for terms in attribution_as_json(read_manifest(settings.index))],
        Console(),
    )


@cli.command()
@with_options(*SERVICE, "length", "min_confidence", "target_accuracy")
def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    server: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Ask a running server instead of loading the models here."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the response as POST /answer gives it.")
    ] = False,
    *,
    options: Options,
) -> None:
    """Answer one question, with the quote that backs it.

    Example: loccit ask 'who designed the eiffel tower'

    Example: loccit ask 'who designed the eiffel tower' --length long

    Example: loccit ask 'who designed the eiffel tower' --server http://127.0.0.1:8000 --json
    """
    from app.ask import Ask
    from app.terminal import show_answer
    from app.wire import AnswerResponse

    asked = Ask(
        checked_question(question), options["top_k"], options["min_confidence"], length=options["length"]
    )
    if server is not None:
        _refuse_options_of_the_server(context)
        from app.remote import ask_server

        response = ask_server(server, asked)
    else:
        from app.ask import answered
        from app.assembly import open_service
        from app.response import response_as_json

        service = open_service(Settings.of(**options))
        response = response_as_json(answered(service, asked), asked, service)
    if as_json:
        print(json.dumps(response, ensure_ascii=False))  # noqa: T201 - for pipes, not for eyes
    else:
        show_answer(AnswerResponse.model_validate(response), Console())


def _refuse_options_of_the_server(context: typer.Context) -> None:
    sources = {name: context.get_parameter_source(name) for name in _IN_PROCESS}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if given:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise InvalidRequestError(
            f"The options {options} do not count with --server, which answers as it was started; leave them out, "
            "or leave out --server."
        )


@cli.command()
@with_options(*SERVICE, "length", "min_confidence", "target_accuracy", "threads")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    *,
    options: Options,
) -> None:
    """Serve POST /answer and GET /documents over HTTP; every setting also comes from LOCCIT_... variables.

    Example: loccit serve --index data/indexes/vital-articles --port 8000
    """
    from app.http.server import run_server

    run_server(Settings.of(**options), host=host, port=port)


@cli.command()
@with_options("index")
def check(
    file: Annotated[
        str,
        typer.Argument(metavar="FILE", help="JSONL of answers (plain, .gz or .xz), or - for standard input."),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write every finding as JSONL.")
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Exit with 1 unless there are quotes, each verbatim where it claims to stand."
        ),
    ] = False,
    *,
    options: Options,
) -> None:
    """Check the quotes of anybody's answers against an index, word for word; loads no model.

    FILE has one object a line, of which only "quotes" with "quote" is needed:

    {"id": "q1", "quotes": [{"quote": "...", "document_id": "...", "start": 10, "end": 60}]}

    Responses of POST /answer and the lines of predictions.jsonl are read as well.

    Example: loccit check answers.jsonl --index data/indexes/vital-articles --out findings.jsonl
    """
    from evaluation.quote_check.audit import audit
    from evaluation.quote_check.summary import show_audit

    found = audit(file, options["index"], out=out, console=Console(stderr=True))
    show_audit(found, Console())
    if strict and (found.unsound or not found.quotes):
        raise typer.Exit(1)


@evaluate_cli.command("predict")
@with_options(*PREDICT)
def evaluate_predict(*, options: Options) -> None:
    """Answer every question once and keep the traces; an interrupted run is continued.

    Whatever the confidence, the answer is kept: thresholds are applied by score.

    Example: loccit evaluate predict own --out runs/own

    Example: loccit evaluate predict squad-dev.json --out runs/squad --sample 300
    """
    _predict(options)


@evaluate_cli.command("nq")
@with_options(*PREDICT)
def evaluate_nq(*, options: Options) -> None:
    """Predict and score in one go, the unanswerable slice included with --without-gold.

    Example: loccit evaluate nq nq-gold --index data/indexes/nq-gold --out runs/nq --without-gold

    Example: loccit evaluate nq clapnq/dev.jsonl.gz --length long --out runs/clapnq
    """
    _predict(options)
    _score(options["out"], None)


def _predict(options: Options) -> "tuple[AnswerService, Settings]":
    from app.assembly import open_service
    from evaluation.configurations import Service, configuration_of, pipeline_for, require_suitable
    from evaluation.predict import predict
    from evaluation.questions import load_questions
    from evaluation.replay import NOTHING, replay_of
    from evaluation.slices import chosen

    configuration = configuration_of(options["configuration"])
    given = {name: options.get(name) for name in (*SERVICE, "length", "min_confidence")}
    settings = Settings.of(**_combined(given, configuration.settings))
    questions = chosen(
        load_questions(options["questions"]),
        side=options["side"],
        sample=options["sample"],
        without_gold=options["without_gold"],
    )
    # whatever the threshold, answers are kept: score applies it
    answering = open_service(settings, abstains=False)
    service = Service(
        answering.pipeline,
        answering.over,
        answering.index.lexical,
        answering.language_model,
        settings.evidence_tokens,
    )
    for question in questions:
        require_suitable(question, configuration, service)
    description = {
        **configuration.described(answering.description(settings)),
        "questions": {name: options[name] for name in ("questions", "side", "sample", "without_gold")},
    }
    predict(
        questions,
        lambda question: pipeline_for(question, configuration, service),
        description,
        options["out"],
        Console(stderr=True),
        replay=NOTHING if options["earlier"] is None else replay_of(options["earlier"], description),
    )
    return answering, settings


def _combined(given: Options, fixed: Mapping[str, str]) -> Options:
    """The options with what a configuration fixes, which none of them may contradict."""
    for name, value in fixed.items():
        if given.get(name) not in (None, value):
            raise InvalidRequestError(
                f"This configuration sets {name} to {value}, so --{name} {given[name]} "
                "does not go with it; leave it out."
            )
    return {**given, **fixed}


@evaluate_cli.command("score")
@with_options("min_confidence")
def evaluate_score(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that predict wrote.")],
    thresholds: Annotated[
        bool, typer.Option("--thresholds", help="Also show what each threshold would give.")
    ] = False,
    *,
    options: Options,
) -> None:
    """Turn a run's predictions into figures; loads no model. Writes report.json, .md and .html into RUN.

    Example: loccit evaluate score runs/own --thresholds
    """
    _score(run, options["min_confidence"], thresholds=thresholds)


def _score(run: Path, min_confidence: float | None, *, thresholds: bool = False) -> None:
    from evaluation.report.run import report_run

    given = Settings.of(min_confidence=min_confidence).min_confidence
    report_run(run, min_confidence=given, thresholds=thresholds)


@cli.command()
@with_options(*CALIBRATE)
def calibrate(
    run: Annotated[
        Path | None,
        typer.Option(
            "--run", metavar="DIR", help="Folder for the answers; runs/calibrate-INDEX unless given."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Where to write; into the folder of the index unless given."
        ),
    ] = None,
    *,
    options: Options,
) -> None:
    """Fit the confidence to your own questions, so that 0.8 means: about 80% are right and supported.

    Where no question is unanswerable, each is also asked without its gold document, so they have to name one.
    Answering is resumed when it was interrupted. From then on, answers from this index carry calibrated confidence.

    Example: loccit calibrate questions.jsonl --index data/indexes/mine
    """
    from app.answering.calibrator import CALIBRATOR_FILE
    from app.answering.shipped_weights import weights_folders
    from app.calibration import fitted_on
    from evaluation.calibration_set import calibration_set
    from evaluation.judged import judged_answers
    from training.calibration import fit
    from training.calibration_report import show_fit
    from training.shipped_calibrator import ship_calibrator

    index: Path = options["index"]
    run = run or Path("runs") / f"calibrate-{index.name}"
    asked = calibration_set(options["questions"], side=options["side"], sample=options["sample"])
    answering, settings = _predict(
        {
            **options,
            "out": run,
            "configuration": "full",
            "without_gold": asked.without_gold,
            "earlier": None,
            "confidence": ConfidenceKind.SCORE,
            "min_confidence": 0.0,
        }
    )
    judged = judged_answers(run)
    models = answering.models.digests(answering.encoder)
    found = fit(judged, fitted_on(settings, models, answering.index, asked.described, judged))
    path = out or index / CALIBRATOR_FILE
    found.calibrator.save(path)
    ship_calibrator(found.calibrator, path, asked.command(index), weights_folders(settings.weights))
    show_fit(found, path, Console())


def main() -> None:
    """The console script: what can be mended becomes one sentence on standard error and exit status 1."""
    # Before torch is loaded: its threads meet thousands of times an answer, and one that spins for long keeps
    # the other from the core. docs/decisions/0007-threads-spin-briefly.md
    os.environ.setdefault("GOMP_SPINCOUNT", "6000")
    try:
        cli()
    except LoccitError as error:
        _fail(str(error))
    except OSError as error:
        if error.filename is None:
            _fail(str(error))
        _fail(f"{error.filename}: {error.strerror}; give a path that can be read and written.")


def _fail(sentence: str) -> NoReturn:
    Console(stderr=True).print(Text(sentence, style="red"), soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
