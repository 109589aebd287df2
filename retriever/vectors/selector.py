"""Rows as FAISS wants to be told of them when it shall look at no others."""

from typing import Any

import faiss
import numpy as np
import numpy.typing as npt


def only(rows: npt.NDArray[np.int64]) -> Any:  # noqa: ANN401 - what faiss says of its types is not true
    """Search parameters to look at these rows alone: a bit for each number up to the largest of them."""
    chosen = np.zeros(int(rows.max(initial=-1)) + 1, dtype=bool)
    chosen[rows] = True
    engine: Any = faiss
    return engine.SearchParameters(sel=engine.IDSelectorBitmap(np.packbits(chosen, bitorder="little")))
