"""The command line that repeats what was done."""

import shlex
from itertools import chain


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
