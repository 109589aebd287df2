"""From a pointer's logits to spans of tokens."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

LONGEST = 30
"""Tokens of an answer at most."""
LONGEST_CHARACTERS = 300
"""Characters of an answer at most: a run without a space is one unknown token, however long it is."""


def best_spans(
    start: FloatArray,
    end: FloatArray,
    *,
    starts: BoolArray,
    ends: BoolArray,
    sentences: IntArray | None = None,
    k: int,
    longest: int = LONGEST,
) -> list[tuple[int, int, float]]:
    """The k best (first, last, score) that share no token, best first; ``score`` is ``start[first] + end[last]``.

    All arrays: (tokens,). A span begins where ``starts`` and ends where ``ends``, within one of ``sentences`` (the
    number of each token's) where they are given, and has at most ``longest`` tokens; time and memory grow with
    ``tokens`` x ``longest``. Of equal scores the earlier and then the shorter span comes first.
    """
    first = np.arange(len(start))[:, None]  # (first, 1)
    last = first + np.arange(min(longest, len(start)))  # (first, length - 1)
    inside = np.minimum(last, len(start) - 1)
    allowed = starts[:, None] & ends[inside] & (last < len(start))
    if sentences is not None:
        allowed &= sentences[:, None] == sentences[inside]
    scores = np.where(allowed, start[:, None] + end[inside], -np.inf)  # (first, length - 1)
    spans: list[tuple[int, int, float]] = []
    while len(spans) < k and scores.size:
        i, beyond = (int(place) for place in np.unravel_index(int(scores.argmax()), scores.shape))
        score = float(scores[i, beyond])
        if score == -np.inf:
            break
        spans.append((i, i + beyond, score))
        scores[(first <= i + beyond) & (last >= i)] = -np.inf
    return spans
