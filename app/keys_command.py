"""`loccit keys`: who may ask the service, kept in a key file."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app.service.api_keys import KeyRing, add_key, parsed_rate, remove_key
from app.service.command_options import FilterOption, Options, with_options
from app.service.settings import Settings
from common.errors import InvalidRequestError
from common.terminal_text import plain
from retriever.filters import Filter

cli = typer.Typer(help="Make, list and remove API keys; a running server notices.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose key it is.")]


@cli.command()
@with_options("key_file")
def add(
    name: Name,
    admin: Annotated[bool, typer.Option("--admin", help="The key also opens the routes for admins.")] = False,
    rate: Annotated[
        str | None, typer.Option(metavar="N/minute", help="Requests that it allows; any number unless given.")
    ] = None,
    only: FilterOption = None,
    *,
    options: Options,
) -> None:
    """Make a key and print it, once: the file keeps only what it is known by.

    With --filter, there are only the documents that match for whoever holds the key.

    Example: loccit keys add alice --rate 60/minute --key-file keys.json

    Example: loccit keys add bob --filter team=sales --key-file keys.json
    """
    path = _key_file(options)
    per_minute = None if rate is None else parsed_rate(rate)
    allowed = Filter.parse(only) if only else None
    secret = add_key(path, name, admin=admin, per_minute=per_minute, allowed=allowed)
    print(secret)  # noqa: T201 - for pipes, not for eyes
    Console(stderr=True).print(plain(f"This is the key of {name}, now in {path}. It is not shown again."))


@cli.command("list")
@with_options("key_file")
def list_keys(*, options: Options) -> None:
    """Say whose keys there are and what they allow.

    Example: loccit keys list --key-file keys.json
    """
    table = Table("name", "admin", "requests a minute", "documents", "made", box=None)
    for key in KeyRing.load(_key_file(options)).keys:
        rate = "any" if key.per_minute is None else f"{key.per_minute:,}"
        documents = "all" if key.filter is None else json.dumps(key.filter)
        table.add_row(*map(plain, (key.name, "yes" if key.admin else "no", rate, documents, key.created)))
    Console().print(table)


@cli.command()
@with_options("key_file")
def remove(name: Name, *, options: Options) -> None:
    """Take a key out of the file: whoever holds it is turned away from now on.

    Example: loccit keys remove alice --key-file keys.json
    """
    path = _key_file(options)
    remove_key(path, name)
    Console(stderr=True).print(plain(f"The key of {name} is removed from {path}."))


def _key_file(options: Options) -> Path:
    path = Settings.of(**options).key_file
    if path is None:
        raise InvalidRequestError("No key file is named; give one with --key-file, or set LOCCIT_KEY_FILE.")
    return path
