"""Tuning an index: the smallest effort of its vector engine that finds enough of the best passages."""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from common.errors import InvalidRequestError
from common.files import numbered_records
from index_builder.embedding import embed_passages
from index_builder.generation_writer import alone_with
from index_builder.recall import Measured, Sample, held_out_sample, measure, questions_sample
from retriever.encoder import Encoder, FloatArray
from retriever.generations import current_generation, next_generation
from retriever.index import PassageIndex, open_index
from retriever.index_writer import passage_inputs
from retriever.manifest import VectorsRecord
from retriever.vectors.protocol import VectorIndex
from retriever.vectors.rows import Rows

MOST_QUERIES = 500
_SEED = 0


@dataclass(frozen=True, slots=True)
class Tuning:
    """What tuning an index found.

    ``measured``: by effort, ascending. ``chosen``: the smallest that reaches the recall asked for; None where none
    does, and then the index is as it was. ``generation``: the current one.
    """

    engine: str
    effort_name: str | None
    measured: tuple[Measured, ...]
    chosen: Measured | None
    generation: str


def tune_index(
    directory: Path, *, encoder: Encoder, recall: float, questions: Sequence[str] | None, console: Console
) -> Tuning:
    """Choose the effort of the current index's engine, and make it the setting of a new generation.

    The rest of the index is as it was. ``recall``: the share of the ten best rows to find, above 0 and at most 1.
    ``questions``: what is asked of the index, of which 500 at most are taken; None: passages of the index are taken,
    each of which is looked for among the others. The vectors come from the index's cache; what is not there is
    embedded again.

    Raises:
        InvalidRequestError: when the recall is out of range, there are no questions, or the engine is exact.
        IndexUnusableError: when there is no whole index.
        IndexBusyError: when another process writes to the index.
        LoccitError: when the disk is full, or refuses otherwise.
    """
    _check(recall, questions)
    current_generation(directory)  # before a lock is made where there is no index
    with alone_with(directory, encoder) as cache:
        index = open_index(directory, encoder)
        _require_effort(index.vectors)
        rows = index.store.rows()
        keys, _ = embed_passages(lambda: passage_inputs(index.store), cache, encoder, console)
        vectors = cache.gathered(keys, directory)
        sample = _sample(vectors, rows, encoder, questions)
        measured = tuple(_each_effort(index.vectors, sample, vectors, rows))
        chosen = next((found for found in measured if found.recall >= recall), None)
        if chosen is not None:
            _publish(directory, index, effort=chosen.effort)
        return Tuning(
            index.vectors.name,
            index.vectors.effort_name,
            measured,
            chosen,
            current_generation(directory).name,
        )


def questions_of(path: Path) -> list[str]:
    """The ``question`` of every line of a JSONL file.

    Raises:
        LoccitError: when the file cannot be read.
        InvalidRequestError: naming the line that has no question.
    """
    return list(_questions(path))


def _questions(path: Path) -> Iterator[str]:
    for number, record in numbered_records(path):
        question = record.get("question")
        if not isinstance(question, str) or not question.strip():
            raise InvalidRequestError(
                f'{path}:{number} has no question; write {{"question": "..."}} on every line.'
            )
        yield question


def _check(recall: float, questions: Sequence[str] | None) -> None:
    if not 0 < recall <= 1:
        raise InvalidRequestError(f"The recall must be above 0 and at most 1, but got {recall}.")
    if questions is not None and not questions:
        raise InvalidRequestError("The file holds no questions; give at least one, better some hundred.")


def _require_effort(vectors: VectorIndex) -> None:
    if vectors.effort_name is None:
        raise InvalidRequestError(
            f"The index has the engine {vectors.name}, which compares a question with every passage and misses none: "
            "there is nothing to tune."
        )


def _sample(vectors: FloatArray, rows: Rows, encoder: Encoder, questions: Sequence[str] | None) -> Sample:
    if questions is None:
        return held_out_sample(vectors, rows, queries=MOST_QUERIES, seed=_SEED)
    places = np.random.default_rng(_SEED).permutation(len(questions))[:MOST_QUERIES]
    return questions_sample(vectors, encoder.encode_queries([questions[place] for place in places]))


def _each_effort(index: VectorIndex, sample: Sample, vectors: FloatArray, rows: Rows) -> Iterator[Measured]:
    """Powers of two, and the largest effort."""
    effort = 1
    while effort < index.largest_effort:
        index.effort = effort
        yield measure(index, sample, vectors, rows)
        effort *= 2
    index.effort = index.largest_effort
    yield measure(index, sample, vectors, rows)


def _publish(directory: Path, index: PassageIndex, *, effort: int) -> None:
    """Make a generation of the same files current, whose manifest has this effort."""
    assert index.manifest is not None
    index.vectors.effort = effort
    record = VectorsRecord.of(index.vectors)
    if record == index.manifest.vectors:
        return
    before = current_generation(directory)
    with next_generation(directory) as folder:
        for name in index.manifest.files:
            _link(before / name, folder / name)
        index.manifest.model_copy(update={"vectors": record}).save(folder)


def _link(source: Path, target: Path) -> None:
    """The same file under another name, or a copy where the file system knows no such names."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
