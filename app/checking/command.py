"""`loccit check`: the quotes and claims of anybody's answers, for people and for pipelines."""

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console

from app.checking.failure import Failure
from app.service.command_options import Options, with_options
from common.errors import LoccitError
from common.files import whole_file
from common.terminal_text import plain

if TYPE_CHECKING:  # it brings what takes seconds to load
    from app.checking.report import Report

NEVER = "none"
"""What ``--fail-on`` takes where nothing shall fail a run."""

BAD_USAGE = 2


class Format(StrEnum):
    """What a report is written as."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"
    SARIF = "sarif"


@with_options("index", "weights")
def check(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Answers: text or Markdown, or JSON Lines (.json, .jsonl, also .gz and .xz); - is JSON Lines on "
            "standard input.",
        ),
    ],
    documents: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH",
            help="Check against these files or folders, of any format that can be indexed, instead of the index; may "
            "be given several times. [2] is then the second document where the answer names no sources.",
        ),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="What the report is written as.")] = Format.TEXT,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the report to this file.")
    ] = None,
    fail_on: Annotated[
        str,
        typer.Option(
            metavar="KINDS",
            help=f"Exit with 1 where there are any of these, with commas between them: {', '.join(Failure)}; or "
            f"{NEVER}.",
        ),
    ] = Failure.FABRICATED.value,
    claims: Annotated[
        bool,
        typer.Option(
            "--claims",
            help="Also judge claims, which loads the support scorer; so does unsupported in --fail-on.",
        ),
    ] = False,
    *,
    options: Options,
) -> None:
    """Check the quotes of anybody's answers, word for word, against an index or documents.

    Exits with 0 where nothing fails, with 1 where something does, with 2 where the check could not be made.

    Example: loccit check answer.md --documents sources/

    Example: loccit check answers.jsonl --index data/indexes/vital-articles --format json --out report.json

    Example: loccit check docs/*.md --fail-on fabricated,nearly,unsupported --format sarif --out check.sarif
    """
    try:
        failures = failures_of(fail_on)
        _refuse_overwriting(files, out)
        report = _report(files, documents, failures, claims=claims, options=options)
        _write(report, form, out)
    except (LoccitError, OSError) as error:
        _fail(str(error))
    if report.fails:
        raise typer.Exit(1)


def failures_of(kinds: str) -> frozenset[Failure]:
    """The failures of a comma list; LoccitError naming the first that is none."""
    names = [name.strip() for name in kinds.split(",") if name.strip()]
    if names == [NEVER]:
        return frozenset()
    for name in names:
        if name not in list(Failure):
            raise LoccitError(f"--fail-on is given {name!r}, but takes {', '.join(Failure)}, or {NEVER}.")
    if not names:
        raise LoccitError(f"--fail-on is given nothing; it takes {', '.join(Failure)}, or {NEVER}.")
    return frozenset(map(Failure, names))


def _report(
    files: list[str],
    documents: list[str] | None,
    failures: frozenset[Failure],
    *,
    claims: bool,
    options: Options,
) -> "Report":
    from app.checking.report import Report
    from app.checking.run import check_entries, open_checker, read_documents, read_entries

    given = None if documents is None else read_documents(documents)
    entries = read_entries(files, documents=given)
    needs_index = any(entry.answer.documents is None for entry in entries)
    checker = open_checker(
        options["index"] if needs_index else None,
        claims=claims or Failure.UNSUPPORTED in failures,
        weights=options["weights"],
    )
    return Report(check_entries(entries, checker, Console(stderr=True)), failures)


def _refuse_overwriting(files: list[str], out: Path | None) -> None:
    for file in files:
        if out is not None and out.exists() and Path(file).exists() and out.samefile(file):
            raise LoccitError(f"{out} is a file that is checked; give another file to --out.")


def _write(report: "Report", form: Format, out: Path | None) -> None:
    if form is Format.TEXT:
        from app.checking.table import show_report

        if out is None:
            show_report(report, Console())
        else:
            with out.open("w", encoding="utf-8") as written:
                show_report(report, Console(file=written, width=120))
        return
    text = _text(report, form)
    if out is None:
        print(text, end="")  # noqa: T201 - for pipes, not for eyes
    else:
        with whole_file(out) as unfinished:
            unfinished.write_text(text, encoding="utf-8")


def _text(report: "Report", form: Format) -> str:
    if form is Format.JUNIT:
        from app.checking.junit import as_junit

        return as_junit(report)
    if form is Format.SARIF:
        from app.checking.sarif import as_sarif

        return json.dumps(as_sarif(report), ensure_ascii=False, indent=1) + "\n"
    answers = [{"file": entry.file, "id": entry.id, **entry.response.as_json()} for entry in report.entries]
    issues = [
        {
            "file": issue.entry.file,
            "id": issue.entry.id,
            "kind": issue.failure.value,
            "sentence": issue.sentence,
        }
        for issue in report.issues()
    ]
    whole = {"fails": report.fails, "fail_on": sorted(report.fail_on), "issues": issues, "answers": answers}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _fail(sentence: str) -> NoReturn:
    Console(stderr=True).print(plain(sentence, "red"), soft_wrap=True)
    raise typer.Exit(BAD_USAGE)
