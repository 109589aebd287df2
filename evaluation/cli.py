"""`loccit evaluate`: fetch questions, answer them, score and compare runs, measure the support scorer."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.service.command_options import PREDICT, RUN, Options, with_options
from app.service.settings import Settings
from common.errors import InvalidRequestError
from common.terminal_text import plain, plain_lines

cli = typer.Typer(
    help="Measure answers, quotes and abstention.", no_args_is_help=True, invoke_without_command=True
)


@cli.callback()
def evaluate(
    download: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Fetch the questions nq-open or nq-gold, once, from where they are public."
        ),
    ] = None,
) -> None:
    """Measure answers, quotes and abstention.

    predict asks every question and keeps what happened; score turns that into figures and a report; nq does both.

    Example: loccit evaluate --download nq-gold
    """
    if download is not None:
        _download(download)


def _download(name: str) -> None:
    from evaluation.downloads import download
    from evaluation.questions import datasets_dir

    fetched = download(name, datasets_dir(), Console(stderr=True))
    console = Console(soft_wrap=True, highlight=False)
    console.print(plain(str(fetched.questions)))
    console.print(plain_lines(f"{fetched.terms}\n"))
    index = f"data/indexes/{name}"
    if fetched.passages is None:
        console.print(plain(f"Next: loccit evaluate nq {name} --index DIR --out runs/{name}"))
        return
    console.print(plain(f"Next: loccit index build '{fetched.passages}' vital-articles --out {index}"))
    console.print(plain(f"then: loccit evaluate nq {name} --index {index} --out runs/{name} --without-gold"))


@cli.command("predict")
@with_options(*PREDICT)
def evaluate_predict(*, options: Options) -> None:
    """Answer every question once and keep the traces; an interrupted run is continued.

    Whatever the confidence, the answer is kept: thresholds are applied by score.

    Example: loccit evaluate predict own --out runs/own

    Example: loccit evaluate predict squad-dev.json --out runs/squad --sample 300
    """
    _predict(options)


@cli.command("nq")
@with_options(*PREDICT)
def evaluate_nq(*, options: Options) -> None:
    """Predict and score in one go, the unanswerable slice included with --without-gold.

    Example: loccit evaluate nq nq-gold --index data/indexes/nq-gold --out runs/nq --without-gold

    Example: loccit evaluate nq clapnq/dev.jsonl.gz --length long --out runs/clapnq
    """
    _predict(options)
    _score(options["out"], None)


def _predict(options: Options) -> None:
    from evaluation.predict_command import Asked, predict_with

    settings = {name: value for name, value in options.items() if name not in RUN}
    predict_with(Asked(**{name: options[name] for name in RUN}), settings)


@cli.command("score")
@with_options("min_confidence")
def evaluate_score(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN", help="Folder that predict wrote; with --system, a file of answers."),
    ],
    thresholds: Annotated[
        bool, typer.Option("--thresholds", help="Also show what each threshold would give.")
    ] = False,
    system: Annotated[
        str | None,
        typer.Option(
            "--system", metavar="NAME", help="Score the answers of another system, of this name: JSON Lines."
        ),
    ] = None,
    questions: Annotated[
        str | None,
        typer.Option(
            "--questions",
            metavar="FILE",
            help="With --system: the questions that were asked; own unless given.",
        ),
    ] = None,
    documents: Annotated[
        Path | None,
        typer.Option(
            "--documents",
            metavar="PATH",
            help="With --system: an index, or JSON Lines with id, title and text, that quotes are looked up in.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="With --system: write report.json and report.md there."),
    ] = None,
    *,
    options: Options,
) -> None:
    """Turn a run's predictions into figures; loads no model. Writes report.json, .md and .html into RUN.

    With --system, the answers of any system are scored by the same metrics; docs/comparison.md has the format.

    Example: loccit evaluate score runs/own --thresholds

    Example: loccit evaluate score --system theirs answers.jsonl --questions own --documents data/indexes/vital-articles
    """
    if system is None:
        _refuse_without_system(questions=questions, documents=documents, out=out)
        _score(run, options["min_confidence"], thresholds=thresholds)
        return
    if thresholds:
        raise InvalidRequestError("--thresholds is of Loccit's own runs; leave it out with --system.")
    _score_system(system, run, questions or "own", documents, out, options["min_confidence"])


def _refuse_without_system(**given: object) -> None:
    for name, value in given.items():
        if value is not None:
            raise InvalidRequestError(f"--{name} is of answers of another system; give --system too.")


def _score_system(
    name: str,
    file: Path,
    questions: str,
    documents: Path | None,
    out: Path | None,
    min_confidence: float | None,
) -> None:
    from evaluation.questions import load_questions
    from evaluation.report.terminal import show
    from evaluation.system_answers import documents_in, read_answers
    from evaluation.system_score import system_score

    asked = load_questions(questions)
    given = Settings.of(min_confidence=min_confidence).min_confidence
    threshold = given if min_confidence is not None and given is not None else 0.0
    find = None if documents is None else documents_in(documents)
    score = system_score(name, read_answers(file, asked), asked, find, min_confidence=threshold)
    if out is not None:
        score.write(out)
    show(score.tables, Console())
    console = Console(highlight=False, soft_wrap=True)
    console.print()
    console.print(plain_lines(score.headline))


def _score(run: Path, min_confidence: float | None, *, thresholds: bool = False) -> None:
    from evaluation.report.write import report_run

    given = Settings.of(min_confidence=min_confidence).min_confidence
    report_run(run, min_confidence=given, thresholds=thresholds)


@cli.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Folders that predict wrote.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Also write the tables as Markdown.")
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Also show what others measured on all of Wikipedia.")
    ] = False,
) -> None:
    """Set runs side by side on the questions they share, with paired bootstrap intervals; loads no model.

    The others are compared with the first.

    Example: loccit evaluate compare runs/full runs/dense runs/lexical --out comparison.md
    """
    from evaluation.compare import compare
    from evaluation.published import published_table
    from evaluation.report.comparison import comparison_tables
    from evaluation.report.markdown import markdown
    from evaluation.report.terminal import show
    from evaluation.score import scored

    tables = comparison_tables(compare({run: scored(run) for run in runs}))
    if published:
        tables.append(published_table())
    show(tables, Console())
    if out is not None:
        out.write_text(markdown("Runs compared", ", ".join(map(str, runs)), tables), encoding="utf-8")


@cli.command()
def support(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Judged claims: a file of AttributionBench or WiCE.")
    ],
    weights: Annotated[
        Path | None,
        typer.Option(
            "--weights", metavar="DIR", help="Folder that train support wrote; the shipped one unless given."
        ),
    ] = None,
) -> None:
    """Measure how well the support scorer agrees with people who judged claims and their evidence.

    Example: loccit evaluate support attributionbench_dev.jsonl.gz
    """
    from app.answering.cross_encoders.trained_support import load_support
    from app.answering.shipped_weights import WEIGHTS_FOLDER
    from evaluation.report.terminal import show
    from evaluation.support_sets import evaluate_support, load_judged, support_table

    scorer = load_support(folder=weights or WEIGHTS_FOLDER, reader_folder=WEIGHTS_FOLDER)
    show([support_table(file.name, evaluate_support(scorer, load_judged(file)))], Console())
