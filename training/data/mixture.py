"""In which order groups are learnt from: a function of the seed alone, so that a resumed run goes on exactly."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import TypeVar

S = TypeVar("S", bound=str)  # what a source is called
G = TypeVar("G")  # a group


def mixture(groups: Mapping[S, Sequence[G]], shares: Mapping[S, float], *, total: int, seed: int) -> list[G]:
    """``total`` groups, mixed by shares (of those sources that have groups), each source shuffled anew each epoch."""
    present = [source for source in sorted(groups) if groups[source] and shares.get(source, 0) > 0]
    weight = sum(shares[source] for source in present)
    mixed: list[G] = []
    for number, source in enumerate(present):
        last = number == len(present) - 1
        count = total - len(mixed) if last else round(total * shares[source] / weight)
        mixed += _epochs(groups[source], count, Random(f"{seed}:{source}"))
    Random(f"{seed}:mixture").shuffle(mixed)
    return mixed


def _epochs(groups: Sequence[G], count: int, rng: Random) -> list[G]:
    taken: list[G] = []
    while len(taken) < count:
        taken += rng.sample(groups, len(groups))
    return taken[:count]
