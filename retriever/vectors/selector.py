"""Rows as FAISS wants to be told of them when it shall look at no others."""

import faiss
import numpy as np

from retriever.vectors.rows import Rows


def only(rows: Rows) -> faiss.IDSelector:
    """What lets a search look at these rows alone: a bit for each number up to the largest of them."""
    chosen = np.zeros(int(rows.max(initial=-1)) + 1, dtype=bool)
    chosen[rows] = True
    return faiss.IDSelectorBitmap(np.packbits(chosen, bitorder="little"))
