"""The `loccit` command: puts the parts together and turns errors into sentences."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from app.answering.checked_input import checked_question
from app.checking.command import check
from app.keys_command import cli as keys_cli
from app.service.command_options import SERVICE, FilterOption, Options, with_options
from app.service.settings import Settings
from calibration.cli import calibrate
from common.errors import InvalidRequestError, LoccitError
from common.terminal_text import json_line, plain, write_out_what_has_no_code
from evaluation.cli import cli as evaluate_cli
from index_builder.cli import cli as index_cli
from retriever.filters import Filter
from training.cli import cli as train_cli

cli = typer.Typer(
    help="Loccit answers questions from your documents and quotes them word for word.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
cli.add_typer(index_cli, name="index")
cli.add_typer(train_cli, name="train")
cli.add_typer(evaluate_cli, name="evaluate")
cli.add_typer(keys_cli, name="keys")

_MODELS = (*(name for name in SERVICE if name != "top_k"), "target_accuracy")
"""What a server has of its own; a question may come with the others."""
_DEFAULTS = (*_MODELS, "top_k", "length", "min_confidence", "threads")


@cli.command()
@with_options("index", "top_k", "retrieval")
def search(
    question: Annotated[str, typer.Argument(help="What to look for.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the response as GET /search gives it.")
    ] = False,
    only: FilterOption = None,
    *,
    options: Options,
) -> None:
    """List the passages that retrieval finds, best first; no answer is written.

    Example: loccit search 'longest river of Asia' -k 3 --filter source=vital-articles
    """
    from app.service.assembly import open_retriever
    from app.service.search import passages_listed, searched
    from app.terminal import show_hits

    query, settings = checked_question(question), Settings.of(**options)
    retriever = open_retriever(settings, asked=_filter(only))
    response = searched(retriever, query, k=passages_listed(settings))
    if as_json:
        _print_json(response.as_json())
    else:
        show_hits(response.hits, response.attribution, Console())


@cli.command()
@with_options(*SERVICE, "length", "min_confidence", "target_accuracy")
def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    server: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Ask a running server instead of loading the models here; the API key that it may want comes from "
            "LOCCIT_API_KEY.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the response as POST /answer gives it.")
    ] = False,
    only: FilterOption = None,
    *,
    options: Options,
) -> None:
    """Answer one question, with the quote that backs it.

    Example: loccit ask 'who designed the eiffel tower'

    Example: loccit ask 'who designed the eiffel tower' --length long

    Example: loccit ask 'who designed the eiffel tower' --server http://127.0.0.1:8000 --json
    """
    from app.service.ask import Ask
    from app.terminal import show_answer

    asked = Ask(
        checked_question(question),
        options["top_k"],
        options["min_confidence"],
        length=options["length"],
        filter=_filter(only),
    )
    if server is not None:
        _refuse_options_of_the_server(context, "--server", _MODELS)
        from app.http.client import ask_server

        response = ask_server(server, asked, api_key=os.environ.get("LOCCIT_API_KEY"))
    else:
        from app.service.ask import answered
        from app.service.assembly import open_service
        from app.service.response import response_of

        service = open_service(Settings.of(**options))
        response = response_of(answered(service, asked), asked, service)
    if as_json:
        _print_json(response.as_json())
    else:
        show_answer(response, Console())


def _filter(only: list[str] | None) -> Filter | None:
    return Filter.parse(only) if only else None


def _print_json(response: dict[str, Any]) -> None:
    print(json_line(response))  # noqa: T201 - for pipes, not for eyes


def _refuse_options_of_the_server(context: typer.Context, server: str, names: tuple[str, ...]) -> None:
    sources = {name: context.get_parameter_source(name) for name in names}
    given = [name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"]
    if given:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise InvalidRequestError(
            f"The options {options} do not count with {server}, which answers as it was started; leave them out, "
            f"or leave out {server}."
        )


@cli.command()
@with_options(*SERVICE, "length", "min_confidence", "target_accuracy", "threads", "log_format", "key_file")
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
@with_options(*SERVICE, "length", "min_confidence", "target_accuracy", "threads", "log_format")
def mcp(
    context: typer.Context,
    server: Annotated[
        str | None,
        typer.Option(
            "--url",
            "--server",
            metavar="URL",
            help="Forward to a running server instead of loading the models here; the API key that it may want comes "
            "from LOCCIT_API_KEY.",
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Serve streamable HTTP on this port of 127.0.0.1, at /mcp, instead of standard input and output.",
        ),
    ] = None,
    *,
    options: Options,
) -> None:
    """Offer the documents as tools to programs that speak the Model Context Protocol: answer, search, get_document and
    check_quotes.

    Example: loccit mcp --index data/indexes/vital-articles

    Example: loccit mcp --url http://127.0.0.1:8000 --port 8001
    """
    if find_spec("mcp") is None:
        raise InvalidRequestError("This command needs the package mcp; run `pip install 'loccit[mcp]'`.")
    from app.mcp.serve import serve_index, serve_service

    if server is None:
        serve_index(Settings.of(**options), port=port)
    else:
        _refuse_options_of_the_server(context, "--url", _DEFAULTS)
        serve_service(server, Settings.of(), api_key=os.environ.get("LOCCIT_API_KEY"), port=port)


@cli.command("settings")
def list_settings(
    into: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the table into this Markdown file, between its marks."),
    ] = None,
) -> None:
    """List every setting as a Markdown table: its variable, its option, its default and what it does.

    Example: loccit settings --into docs/operating.md
    """
    from app.service.settings_table import settings_table, write_settings_table

    if into is None:
        print(settings_table())  # noqa: T201 - for pipes, not for eyes
    else:
        write_settings_table(into)


cli.command()(check)
cli.command()(calibrate)


def main() -> None:
    """The console script: what can be mended becomes one sentence on standard error and exit status 1."""
    # Before torch is loaded: its threads meet thousands of times an answer, and one that spins for long keeps
    # the other from the core. docs/decisions/0007-threads-spin-briefly.md
    os.environ.setdefault("GOMP_SPINCOUNT", "6000")
    write_out_what_has_no_code(sys.stdout, sys.stderr)
    try:
        cli()
    except LoccitError as error:
        _fail(str(error))
    except OSError as error:
        if error.filename is None:
            _fail(str(error))
        _fail(f"{error.filename}: {error.strerror}; give a path that can be read and written.")


def _fail(sentence: str) -> NoReturn:
    Console(stderr=True).print(plain(sentence, "red"), soft_wrap=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
