"""The table of vector engines: the one place that names their classes.

A new engine is one file beside this one and one row of the table; its tests are those of the table.
"""

from collections.abc import Mapping
from pathlib import Path

from common.errors import IndexUnusableError, InvalidRequestError
from retriever.vectors.flat import FlatVectorIndex
from retriever.vectors.hnsw_sq8 import HNSWSQ8VectorIndex
from retriever.vectors.ivf_pq import IVFPQVectorIndex
from retriever.vectors.ivf_sq8 import IVFSQ8VectorIndex
from retriever.vectors.protocol import Argument, VectorIndex

DEFAULT_ENGINE = "flat"
AUTO = "auto"
FLAT_UP_TO = 150_000
"""Passages that ``auto`` keeps in the exact engine; docs/decisions/0030-vector-engines.md has what decided."""

ENGINES: dict[str, type[VectorIndex]] = {
    "flat": FlatVectorIndex,
    "ivf-sq8": IVFSQ8VectorIndex,
    "ivf-pq": IVFPQVectorIndex,
    "hnsw-sq8": HNSWSQ8VectorIndex,
}


def check_engine(name: str) -> None:
    """Refuse what is neither an engine's name nor ``auto``.

    Raises:
        InvalidRequestError: naming those that there are.
    """
    if name not in (AUTO, *ENGINES):
        raise InvalidRequestError(
            f"There is no vector engine {name!r}; give one of {', '.join((AUTO, *ENGINES))}."
        )


def engine_for(asked: str, *, vectors: int) -> str:
    """The engine for so many vectors: the one asked for, or flat where that one cannot be trained on so few."""
    if asked == AUTO:
        return DEFAULT_ENGINE if vectors <= FLAT_UP_TO else IVFSQ8VectorIndex.name
    return asked if vectors >= ENGINES[asked].least else DEFAULT_ENGINE


def new_vectors(
    dimension: int, *, engine: str = DEFAULT_ENGINE, arguments: Mapping[str, Argument] | None = None
) -> VectorIndex:
    """An empty index of this engine for vectors of this length; ``arguments``: see ``load_vectors``."""
    return _with_effort(ENGINES[engine](dimension), arguments)


def load_vectors(path: Path, engine: str, arguments: Mapping[str, Argument] | None = None) -> VectorIndex:
    """The vectors that an index of this engine saved.

    ``arguments``: as recorded; the effort among them is what a search spends.

    Raises:
        IndexUnusableError: when there is no such engine, or the file was not saved by it.
    """
    if engine not in ENGINES:
        raise IndexUnusableError(
            f"{path} was made by the vector engine {engine!r}, but this Loccit has {', '.join(ENGINES)}; upgrade "
            "with `pip install --upgrade loccit`, or build the index again."
        )
    return _with_effort(ENGINES[engine].load(path), arguments)


def _with_effort(index: VectorIndex, arguments: Mapping[str, Argument] | None) -> VectorIndex:
    effort = (arguments or {}).get(index.effort_name or "")
    if effort is not None:
        index.effort = int(effort)
    return index
