"""A saved index is mapped: the processes that have it open share its pages."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from retriever.vectors import hnsw_sq8
from retriever.vectors.engines import load_vectors, new_vectors

ROOT = Path(__file__).parents[3]
ROWS, DIMENSION = 12_000, 512
PRIVATE_BYTES_A_ROW = 60
"""Where each row lies; the vector itself takes from 512 bytes on."""
PRIVATE_BYTES = 1_500_000
"""Of what FAISS keeps beside."""

ANOTHER_PROCESS = """
import json, sys
from pathlib import Path
import numpy as np
from retriever.vectors.engines import load_vectors

def private():
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))

queries = np.load(sys.argv[3])
warm = queries @ queries.T
before = private()
index = load_vectors(Path(sys.argv[1]), sys.argv[2])
index.effort = index.largest_effort
found = [[row for row, _ in hits] for hits in index.search(queries, k=10)]
print(json.dumps({"private": private() - before, "found": found}))
"""


def unit_vectors(count: int, *, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="the system does not tell")
@pytest.mark.parametrize("engine", ["flat", "ivf-sq8", "hnsw-sq8"])
def test_a_second_process_shares_the_pages_of_the_first(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(hnsw_sq8, "_BUILD_EFFORT", 4)  # a poor graph is as large as a good one
    built, path, queries = new_vectors(DIMENSION, engine=engine), tmp_path / "vectors", tmp_path / "q.npy"
    built.add(range(ROWS), unit_vectors(ROWS, seed=0))
    built.save(path)
    np.save(queries, unit_vectors(20, seed=1))
    allowed = PRIVATE_BYTES_A_ROW * ROWS + PRIVATE_BYTES
    assert path.stat().st_size > 2 * allowed

    first = load_vectors(path, engine)
    first.effort = first.largest_effort
    found = [[row for row, _ in hits] for hits in first.search(np.load(queries), k=10)]
    second = json.loads(
        subprocess.run(
            [sys.executable, "-c", ANOTHER_PROCESS, str(path), engine, str(queries)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
    )
    assert second["found"] == found
    assert second["private"] < allowed
