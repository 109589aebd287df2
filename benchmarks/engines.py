"""The vector engines side by side: recall@10 against comparing with every vector, time, size, and time to build.

The vectors are those that indexes hold in their flat engine, or a file of numpy's; the queries are real questions.
Times are of the processor, on one thread, so that other work on the machine does not count. What was measured is kept
in --into: a run that was broken off goes on where it stopped.

python -m benchmarks.engines QUESTIONS --index data/indexes/vital-articles --index data/indexes/nq-every5th
python -m benchmarks.engines QUESTIONS --vectors vectors.npy --engine flat --engine ivf-sq8
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import faiss
import numpy as np

from common.files import records
from index_builder.recall import Sample, measure, questions_sample
from retriever.encoder import FloatArray, load_encoder
from retriever.generations import current_generation
from retriever.index import VECTORS_FILE
from retriever.vectors.engines import ENGINES, load_vectors, new_vectors

_QUERIES = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    vectors: int
    engine: str
    effort: int
    recall: float
    p50_ms: float
    p95_ms: float
    file_bytes: int
    build_s: float


def flat_vectors(index: Path) -> FloatArray:
    """The vectors of an index whose engine is flat, (rows, dimension)."""
    engine = faiss.read_index(str(current_generation(index) / VECTORS_FILE))
    vectors: FloatArray = faiss.downcast_index(engine.index).reconstruct_n(0, engine.ntotal)
    return vectors


def lines(name: str, vectors: FloatArray, sample: Sample) -> Iterator[Line]:
    """What an engine gives on these vectors, by effort: a quarter, a half, once, twice and four times the usual."""
    rows = np.arange(len(vectors), dtype=np.int64)
    index = new_vectors(vectors.shape[1], engine=name)
    started, spent = time.perf_counter(), time.process_time()
    index.add(rows, vectors)
    build_s, on_the_clock = time.process_time() - spent, time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / VECTORS_FILE
        index.save(path)
        size, loaded = path.stat().st_size, load_vectors(path, name)
        usual = loaded.effort
        efforts = [usual] if loaded.exact else [usual // 4, usual // 2, usual, 2 * usual, 4 * usual]
        for effort in dict.fromkeys(min(effort, loaded.largest_effort) for effort in efforts):
            loaded.effort = effort
            found = measure(loaded, sample, vectors, rows, clock=time.thread_time)
            yield Line(len(vectors), name, effort, found.recall, found.p50_ms, found.p95_ms, size, build_s)
    print(f"built {name} over {len(vectors):,} in {build_s:.0f} s of the processor, {on_the_clock:.0f} s")


def known(path: Path) -> list[Line]:
    """What an earlier run measured."""
    return [Line(**record) for record in records(path)] if path.exists() else []


def show(measured: list[Line]) -> None:
    print("| vectors | engine | effort | recall@10 | p50 ms | p95 ms | MB | processor seconds to build |")
    print("|---:|---|---:|---:|---:|---:|---:|---:|")
    for line in sorted(measured, key=lambda line: line.vectors):
        print(
            f"| {line.vectors:,} | {line.engine} | {line.effort} | {line.recall:.3f} | {line.p50_ms:.2f} "
            f"| {line.p95_ms:.2f} | {line.file_bytes / 1e6:,.1f} | {line.build_s:,.1f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("questions", type=Path, help='JSONL with a "question" a line')
    parser.add_argument("--index", type=Path, action="append", default=[], help="whose engine is flat")
    parser.add_argument("--vectors", type=Path, action="append", default=[], help="of this encoder, as .npy")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="all of them unless given")
    parser.add_argument("--into", type=Path, default=Path("runs/engines.jsonl"))
    arguments = parser.parse_args()

    faiss.omp_set_num_threads(1)
    questions = [record["question"] for record in records(arguments.questions)][:_QUERIES]
    queries = load_encoder().encode_queries(questions)
    measured = known(arguments.into)
    arguments.into.parent.mkdir(parents=True, exist_ok=True)
    for vectors in (
        *map(flat_vectors, arguments.index),
        *(np.load(path, mmap_mode="r") for path in arguments.vectors),
    ):
        sample = questions_sample(vectors, queries)
        for name in arguments.engine or ENGINES:
            if any((line.vectors, line.engine) == (len(vectors), name) for line in measured):
                continue
            found = list(lines(name, vectors, sample))
            with arguments.into.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(asdict(line)) + "\n" for line in found)
            measured += found
    show(measured)


if __name__ == "__main__":
    main()
