import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import IndexUnusableError
from retriever.types import ScoredRow
from retriever.vectors import FlatVectorIndex


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@given(st.integers(0, 2**31), st.integers(1, 40), st.integers(1, 50))
def test_results_are_those_of_brute_force(seed, count, k):
    random = np.random.default_rng(seed)
    vectors, query = unit(random.normal(size=(count, 8))), unit(random.normal(size=(1, 8)))
    rows = random.permutation(1000)[:count]
    index = FlatVectorIndex(8)
    index.add(rows.tolist(), vectors)
    expected = sorted(zip(rows.tolist(), (vectors @ query[0]).tolist(), strict=True), key=lambda r: -r[1])[:k]
    (found,) = index.search(query, k=k)
    assert [row for row, _ in found] == [row for row, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-6)


def test_an_exact_match_scores_one():
    vectors = unit(np.array([[1.0, 2.0], [3.0, -1.0]]))
    index = FlatVectorIndex(2)
    index.add([41, 42], vectors)
    assert index.search(vectors[1:], k=1) == [[ScoredRow(42, pytest.approx(1.0))]]


def test_single_rows_score_as_in_a_search():
    vectors = unit(np.random.default_rng(1).normal(size=(6, 8)))
    index = FlatVectorIndex(8)
    index.add([60, 10, 50, 20, 40, 30], vectors)
    (found,) = index.search(vectors[:1], k=6)
    rows = [row for row, _ in found]
    assert index.scores(vectors[0], rows) == pytest.approx([score for _, score in found], abs=1e-6)
    assert index.scores(vectors[0], [60]) == pytest.approx([1.0])
    assert index.scores(vectors[0], []) == []


def test_equal_vectors_are_ordered_by_row_even_at_the_cut():
    index = FlatVectorIndex(2)
    index.add([9, 3, 5, 1], unit(np.array([[1.0, 0.0]] * 4)))
    (found,) = index.search(unit(np.array([[1.0, 0.0]])), k=2)
    assert [row for row, _ in found] == [1, 3]


def test_asking_for_more_than_there_is_pads_nothing():
    index = FlatVectorIndex(2)
    index.add([7], unit(np.array([[1.0, 1.0]])))
    assert [row for row, _ in index.search(unit(np.array([[1.0, 0.0]])), k=50)[0]] == [7]
    assert FlatVectorIndex(2).search(unit(np.array([[1.0, 0.0]])), k=5) == [[]]


def test_saving_and_loading_changes_nothing(tmp_path):
    vectors = unit(np.random.default_rng(0).normal(size=(20, 4)))
    index = FlatVectorIndex(4)
    index.add(range(100, 120), vectors)
    index.save(tmp_path / "vectors")
    loaded = FlatVectorIndex.load(tmp_path / "vectors")
    assert loaded.search(vectors, k=20) == index.search(vectors, k=20)
    assert (len(loaded), loaded.dimension) == (20, 4)
    assert loaded.rows().tolist() == list(range(100, 120))


def test_a_file_that_is_no_index_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "vectors").write_bytes(b"not an index")
    with pytest.raises(IndexUnusableError, match=r"vectors is not a readable FAISS index; build the index"):
        FlatVectorIndex.load(tmp_path / "vectors")
