"""What retrieval needs of a vector engine: rows and their vectors in, the nearest rows out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol, Self

import numpy as np
import numpy.typing as npt

from retriever.encoder import FloatArray
from retriever.types import ScoredRow

Argument = int | float | str


class VectorIndex(Protocol):
    """Vectors by row. A row is a number that the caller chooses, and it is held once at most.

    A score is the inner product of the query and the vector as it is held: higher is better. An engine that holds
    vectors in fewer bits scores them as it holds them. Equal scores are ordered by row.
    """

    name: ClassVar[str]
    """What the engine is called in a manifest. It never changes: old indexes are opened by it."""

    exact: ClassVar[bool]
    """Whether a search always finds the best rows. An approximate engine may miss some of them."""

    least: ClassVar[int]
    """How many vectors the first ``add`` needs at least: an engine that is trained learns from them."""

    effort_name: ClassVar[str | None]
    """Which of its arguments trades time for recall; it may be set at any time. None: an exact engine has none."""

    effort: int
    """That argument's value, from 1 on: a larger one finds more of the best rows and takes longer."""

    def __init__(self, dimension: int) -> None:
        """An empty index of vectors of this length."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    @property
    def arguments(self) -> Mapping[str, Argument]:
        """The engine's own arguments, as the manifest records them; the dimension is none of them."""

    @property
    def largest_effort(self) -> int:
        """The effort beyond which a search gains nothing that is worth its time."""

    def __len__(self) -> int: ...

    def rows(self) -> npt.NDArray[np.int64]:
        """Every row it holds, ascending."""

    def add(self, rows: Sequence[int] | npt.NDArray[np.int64], vectors: FloatArray) -> None:
        """Store the vectors, shape (rows, dimension), under these rows. The first ones train the engine.

        Raises:
            ValueError: when a row is held already or stands twice in ``rows``, or when the first vectors are fewer
                than ``least``; nothing is added then.
        """

    def remove(self, rows: Sequence[int]) -> None:
        """Drop these rows: no search finds them any more, and they may be added again.

        Raises:
            ValueError: when a row is not held or stands twice in ``rows``; nothing is removed then.
        """

    def search(
        self, queries: FloatArray, *, k: int, within: npt.NDArray[np.int64] | None = None
    ) -> list[list[ScoredRow]]:
        """The best k rows of each query, shape (queries, dimension).

        Fewer where it holds fewer, or where an approximate engine finds fewer.

        ``within``: only these rows, all held, are looked at, before any is ranked; k are found unless they are fewer.
        Where they are few, all are compared, whatever the effort. None: all that it holds.
        """

    def scores(self, query: FloatArray, rows: Sequence[int]) -> list[float]:
        """The score of each of these rows, all held, for one query of shape (dimension,)."""

    def save(self, path: Path) -> None:
        """Write the index, with its arguments, to one file."""

    @classmethod
    def load(cls, path: Path) -> Self:
        """The index that ``save`` wrote, its pages shared with every process that has the file open.

        The first change reads the whole file into memory of this process; the file stays as it is.

        Raises:
            IndexUnusableError: when the file is not such an index.
        """
