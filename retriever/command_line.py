"""The command line that repeats what was done."""

import shlex
from itertools import chain


def command_line(*words: str, **options: object) -> str:
    """``loccit`` with these words and options, those that are None left out; what needs quotes has them."""
    given = (
        (f"--{name.replace('_', '-')}", str(value)) for name, value in options.items() if value is not None
    )
    return shlex.join(["loccit", *words, *chain.from_iterable(given)])
