"""Tables on a terminal."""

from collections.abc import Iterable

import rich.table
from rich.console import Console

from common.terminal_text import plain
from evaluation.report.tables import Table


def show(tables: Iterable[Table], console: Console) -> None:
    """Print the tables, numbers to the right."""
    for table in tables:
        drawn = rich.table.Table(box=None)
        for place, column in enumerate(table.columns):
            drawn.add_column(plain(column), justify="right" if place else "left", overflow="fold")
        for row in table.rows:
            drawn.add_row(*map(plain, row))
        console.print()
        console.print(plain(table.title, "bold"))
        console.print(drawn)
        if table.note:
            console.print(plain(table.note, "dim"))
