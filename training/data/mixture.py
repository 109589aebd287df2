"""In which order groups are learnt from: a function of the seed alone, so that a resumed run goes on exactly."""

from collections.abc import Mapping, Sequence
from random import Random

from training.data.group import GroupRecord
from training.data.question import Source


def mixture(
    groups: Mapping[Source, Sequence[GroupRecord]], shares: Mapping[Source, float], *, total: int, seed: int
) -> list[GroupRecord]:
    """``total`` groups, mixed by shares (of those sources that have groups), each source shuffled anew each epoch."""
    present = [source for source in sorted(groups) if groups[source] and shares.get(source, 0) > 0]
    weight = sum(shares[source] for source in present)
    mixed: list[GroupRecord] = []
    for number, source in enumerate(present):
        last = number == len(present) - 1
        count = total - len(mixed) if last else round(total * shares[source] / weight)
        mixed += _epochs(groups[source], count, Random(f"{seed}:{source}"))
    Random(f"{seed}:mixture").shuffle(mixed)
    return mixed


def _epochs(groups: Sequence[GroupRecord], count: int, rng: Random) -> list[GroupRecord]:
    taken: list[GroupRecord] = []
    while len(taken) < count:
        taken += rng.sample(groups, len(groups))
    return taken[:count]
