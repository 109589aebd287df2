"""Characters of a text to tokens and back, by the characters that each token covers.

``offsets``: the characters of each token, (tokens, 2): its first one, and the place after its last one.
"""

import numpy as np
import numpy.typing as npt

from retriever.text.sentences import splits_character
from retriever.types import Span

Offsets = npt.NDArray[np.int64]


def characters(text: str, offsets: Offsets, first: int, last: int) -> Span:
    """The characters from token ``first`` to token ``last``, both included.

    Tokens leave out accents and joiners that belong to a visible character: the span takes them in.
    """
    start, end = int(offsets[first, 0]), int(offsets[last, 1])
    while splits_character(text, start):
        start -= 1
    while splits_character(text, end):
        end += 1
    return Span(start, end)


def touching(offsets: Offsets, span: Span) -> tuple[int, int] | None:
    """The first and the last token that touch these characters; None when no token does."""
    touched = np.flatnonzero((offsets[:, 0] < span.end) & (offsets[:, 1] > span.start))
    return (int(touched[0]), int(touched[-1])) if len(touched) else None
