"""`loccit evaluate`, as far as nothing is answered: fetch questions, compare runs, measure the support scorer."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

cli = typer.Typer(
    help="Measure answers, quotes and abstention.", no_args_is_help=True, invoke_without_command=True
)
_of_runs = typer.Typer()


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
    console.print(Text(f"{fetched.questions}\n{fetched.terms}\n"))
    index = f"data/indexes/{name}"
    if fetched.passages is None:
        console.print(Text(f"Next: loccit evaluate nq {name} --index DIR --out runs/{name}"))
        return
    console.print(Text(f"Next: loccit index build '{fetched.passages}' vital-articles --out {index}"))
    console.print(Text(f"then: loccit evaluate nq {name} --index {index} --out runs/{name} --without-gold"))


@_of_runs.command()
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


@_of_runs.command()
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
    from app.answering.shipped_weights import WEIGHTS_FOLDER
    from app.answering.trained_support import load_support
    from evaluation.report.terminal import show
    from evaluation.support_sets import evaluate_support, load_judged, support_table

    scorer = load_support(folder=weights or WEIGHTS_FOLDER, reader_folder=WEIGHTS_FOLDER)
    show([support_table(file.name, evaluate_support(scorer, load_judged(file)))], Console())


cli.add_typer(_of_runs)  # without a name of its own: help lists these after predict, nq and score
