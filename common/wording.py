"""Numbers of things, values and command lines, as they are told to people."""

import shlex
from itertools import chain


def counted(number: int, noun: str) -> str:
    """``1 document``, ``2,000 documents``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def shown(value: object, most: int = 80) -> str:
    """The value as a Python literal in ASCII, cut where it is longer than ``most`` characters."""
    try:
        literal = ascii(value)
    except RecursionError:  # what was read just within the limit, and is written with less room left
        return "something nested too deep to show"
    return literal if len(literal) <= most else f"{literal[:most]}..."


def command_line(*words: str, **options: object) -> str:
    """``loccit`` with these words and options; what needs quotes has them.

    Left out: options that are None, and flags that are False.
    """
    given = (
        [f"--{name.replace('_', '-')}", *([] if value is True else [str(value)])]
        for name, value in options.items()
        if value is not None and value is not False
    )
    return shlex.join(["loccit", *words, *chain.from_iterable(given)])
