"""From a pointer's logits to spans of tokens."""

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]

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
    k: int,
    longest: int = LONGEST,
) -> list[tuple[int, int, float]]:
    """The k best (first, last, score) that share no token, best first; ``score`` is ``start[first] + end[last]``.

    All arrays: (tokens,). A span begins where ``starts`` and ends where ``ends``, and has at most ``longest``
    tokens. Of equal scores the earlier and then the shorter span comes first.
    """
    tokens = len(start)
    first, last = np.indices((tokens, tokens))
    allowed = starts[:, None] & ends[None, :] & (last >= first) & (last - first < longest)
    scores = np.where(allowed, start[:, None] + end[None, :], -np.inf)  # (first, last)
    spans: list[tuple[int, int, float]] = []
    while len(spans) < k and scores.size:
        i, j = np.unravel_index(int(scores.argmax()), scores.shape)
        score = float(scores[i, j])
        if score == -np.inf:
            break
        spans.append((int(i), int(j), score))
        scores[(first <= j) & (last >= i)] = -np.inf
    return spans
