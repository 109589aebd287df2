"""The table of vector engines: the one place that names their classes.

A new engine is one file beside this one and one row of the table; its tests are those of the table.
"""

from pathlib import Path

from common.errors import IndexUnusableError
from retriever.vectors.flat import FlatVectorIndex
from retriever.vectors.protocol import VectorIndex

DEFAULT_ENGINE = "flat"

ENGINES: dict[str, type[VectorIndex]] = {
    "flat": FlatVectorIndex,
}


def new_vectors(dimension: int, *, engine: str = DEFAULT_ENGINE) -> VectorIndex:
    """An empty index of this engine for vectors of this length."""
    return ENGINES[engine](dimension)


def load_vectors(path: Path, engine: str) -> VectorIndex:
    """The vectors that an index of this engine saved.

    Raises:
        IndexUnusableError: when there is no such engine, or the file was not saved by it.
    """
    if engine not in ENGINES:
        raise IndexUnusableError(
            f"{path} was made by the vector engine {engine!r}, but this Loccit has {', '.join(ENGINES)}; upgrade "
            "with `pip install --upgrade loccit`, or build the index again."
        )
    return ENGINES[engine].load(path)
