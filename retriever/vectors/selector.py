"""Rows as FAISS wants to be told of them when it shall look at no others."""

from typing import Any

import faiss
import numpy as np
import numpy.typing as npt


def only(rows: npt.NDArray[np.int64]) -> faiss.SearchParameters:
    """Search parameters to look at these rows alone: a bit for each number up to the largest of them."""
    chosen = np.zeros(int(rows.max(initial=-1)) + 1, dtype=bool)
    chosen[rows] = True
    untyped: Any = faiss  # its stubs know nothing of these arguments
    parameters: faiss.SearchParameters = untyped.SearchParameters(
        sel=untyped.IDSelectorBitmap(np.packbits(chosen, bitorder="little"))
    )
    return parameters
