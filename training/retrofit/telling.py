"""Neighbours that tell how the text goes on: what teaches to look there, and what shows how much is copied."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from retriever.chunk_database import NO_TOKEN, Integers


def tell(
    values: Integers,
    tokens: npt.NDArray[np.integer[Any]],
    chunks: Iterable[int],
    *,
    chunk: int,
    random: np.random.Generator,
) -> None:
    """Put the text itself in the place of the nearest neighbours of these chunks, in place.

    ``values``: (chunks, k, tokens). ``tokens``: the text from its first chunk on. What tells begins within the chunk,
    somewhere, and goes on into the next one: where to look is told by the words alone.
    """
    for number in chunks:
        begin = (number + 1) * chunk - int(random.integers(1, chunk))
        run = tokens[begin : begin + values.shape[-1]]
        values[number, 0] = NO_TOKEN
        values[number, 0, : len(run)] = run
