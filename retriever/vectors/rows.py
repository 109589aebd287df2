"""Checks of rows that every engine makes before it changes: an engine itself would pass over them in silence."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


def new_rows(rows: Sequence[int] | Rows, held: Rows) -> Rows:
    """``rows`` as an array; ValueError when one of them is among ``held`` or stands twice."""
    wanted = _distinct(rows)
    if len(strays := wanted[np.isin(wanted, held)]):
        raise ValueError(f"Row {strays[0]} is held already; remove it first, or give another row.")
    return wanted


def held_rows(rows: Sequence[int], held: Rows) -> Rows:
    """``rows`` as an array; ValueError when one of them is not among ``held`` or stands twice."""
    wanted = _distinct(rows)
    if len(strays := wanted[~np.isin(wanted, held)]):
        raise ValueError(f"Row {strays[0]} is not held, so it cannot be removed; give rows that are.")
    return wanted


def _distinct(rows: Sequence[int] | Rows) -> Rows:
    wanted = np.asarray(rows, dtype=np.int64)
    values, counts = np.unique(wanted, return_counts=True)
    if len(repeated := values[counts > 1]):
        raise ValueError(f"Row {repeated[0]} stands twice among the rows given; give each row once.")
    return wanted
