"""`loccit check`: audit the quotes of anybody's answers."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.service.command_options import Options, with_options


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
    from quote_check.audit import audit
    from quote_check.summary import show_audit

    audited = audit(file, options["index"], out=out, console=Console(stderr=True))
    show_audit(audited, Console())
    if strict and (audited.unsound or not audited.quotes):
        raise typer.Exit(1)
