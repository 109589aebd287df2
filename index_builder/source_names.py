"""Names of sources: each its own, so that a citation's source is found among an index's."""

from collections.abc import Sequence
from itertools import chain, count


def told_apart(names: Sequence[str]) -> list[str]:
    """The names in their order; one that is taken already gets a number: ``notes``, ``notes (2)``."""
    told: list[str] = []
    for name in names:
        forms = chain([name], (f"{name} ({number})" for number in count(2)))
        told.append(next(form for form in forms if form not in told))
    return told
