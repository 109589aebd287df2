"""Every engine of the table against brute-force numpy, by value."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import IndexUnusableError
from retriever.types import ScoredRow
from retriever.vectors.engines import DEFAULT_ENGINE, ENGINES, load_vectors, new_vectors
from retriever.vectors.protocol import VectorIndex

ROOT = Path(__file__).parents[3]
RECALL = 0.9
"""The share of the best rows that an approximate engine must find."""
every_engine = pytest.mark.parametrize("engine", ENGINES)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def of_one_direction(engine: str, rows: list[int]) -> VectorIndex:
    """An index in which every row has the same vector."""
    index = new_vectors(2, engine=engine)
    index.add(rows, unit(np.array([[1.0, 0.0]] * len(rows))))
    return index


def assert_best(
    index: VectorIndex,
    rows: list[int],
    vectors: np.ndarray,
    query: np.ndarray,
    k: int,
    within: np.ndarray | None = None,
) -> None:
    """The index answers the query, shape (1, dimension), as comparing with every vector of these rows does.

    An approximate engine may miss some of the best rows, but what it finds has its true score, best first.
    """
    scores = dict(zip(rows, (vectors @ query[0]).tolist(), strict=True))
    expected = sorted(scores, key=lambda row: (-scores[row], row))[:k]
    (hits,) = index.search(query, k=k, within=within)
    found = [row for row, _ in hits]
    assert len(set(found)) == len(found) == len(expected)
    assert [score for _, score in hits] == pytest.approx([scores[row] for row in found], abs=1e-6)
    assert found == sorted(found, key=lambda row: (-scores[row], row))
    if index.exact:
        assert found == expected
    else:
        assert len(set(found) & set(expected)) >= RECALL * len(expected)


@every_engine
@given(seed=st.integers(0, 2**31), count=st.integers(1, 40), k=st.integers(1, 50))
def test_results_are_those_of_brute_force(engine, seed, count, k):
    random = np.random.default_rng(seed)
    vectors, query = unit(random.normal(size=(count, 8))), unit(random.normal(size=(1, 8)))
    rows = random.permutation(1000)[:count].tolist()
    index = new_vectors(8, engine=engine)
    index.add(rows, vectors)
    assert_best(index, rows, vectors, query, k)


@every_engine
@given(seed=st.integers(0, 2**31), share=st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0]), k=st.integers(1, 50))
def test_results_within_some_rows_are_those_of_brute_force_over_them(engine, seed, share, k):
    random = np.random.default_rng(seed)
    vectors, query = unit(random.normal(size=(300, 8))), unit(random.normal(size=(1, 8)))
    rows = random.permutation(1000)[:300]
    index = new_vectors(8, engine=engine)
    index.add(rows.tolist(), vectors)
    places = np.sort(random.permutation(300)[: round(300 * share)])
    assert_best(index, rows[places].tolist(), vectors[places], query, k, within=np.sort(rows[places]))


@every_engine
@given(seed=st.integers(0, 2**31), count=st.integers(1, 40), removed=st.integers(0, 40))
def test_after_removing_the_results_are_those_of_brute_force_over_the_rest(engine, seed, count, removed):
    random = np.random.default_rng(seed)
    vectors, query = unit(random.normal(size=(count, 8))), unit(random.normal(size=(1, 8)))
    rows = random.permutation(1000)[:count].tolist()
    index = new_vectors(8, engine=engine)
    index.add(rows, vectors)
    index.remove(rows[:removed])
    assert index.rows().tolist() == sorted(rows[removed:])
    assert len(index) == len(rows[removed:])
    assert_best(index, rows[removed:], vectors[removed:], query, count)
    expected = (vectors[removed:] @ query[0]).tolist()
    assert index.scores(query[0], rows[removed:]) == pytest.approx(expected, abs=1e-6)


@every_engine
@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([5, 4], "Row 4 is not held, so it cannot be removed"),
        ([5, 5], "Row 5 stands twice among the rows given"),
    ],
)
def test_rows_that_cannot_be_removed_are_refused_and_nothing_is_removed(engine, rows, sentence):
    index = of_one_direction(engine, [3, 5])
    with pytest.raises(ValueError, match=sentence):
        index.remove(rows)
    assert index.rows().tolist() == [3, 5]
    index.remove([])
    assert len(index) == 2


@every_engine
@pytest.mark.parametrize(
    ("rows", "sentence"),
    [([7, 5], "Row 5 is held already"), ([7, 7], "Row 7 stands twice among the rows given")],
)
def test_rows_that_are_held_already_are_refused_and_nothing_is_added(engine, rows, sentence):
    index = of_one_direction(engine, [3, 5])
    with pytest.raises(ValueError, match=sentence):
        index.add(rows, unit(np.array([[0.0, 1.0]] * 2)))
    assert index.rows().tolist() == [3, 5]
    assert index.scores(unit(np.array([[1.0, 0.0]]))[0], [3, 5]) == pytest.approx([1.0, 1.0])


@every_engine
def test_a_removed_row_can_be_added_again_with_another_vector(engine):
    index = of_one_direction(engine, [3, 5])
    index.remove([3])
    index.add([3], unit(np.array([[0.0, 1.0]])))
    assert index.search(unit(np.array([[0.0, 1.0]])), k=1) == [[ScoredRow(3, pytest.approx(1.0))]]


@every_engine
def test_an_exact_match_scores_one(engine):
    vectors = unit(np.array([[1.0, 2.0], [3.0, -1.0]]))
    index = new_vectors(2, engine=engine)
    index.add([41, 42], vectors)
    assert index.search(vectors[1:], k=1) == [[ScoredRow(42, pytest.approx(1.0))]]


@every_engine
def test_single_rows_score_as_in_a_search(engine):
    vectors = unit(np.random.default_rng(1).normal(size=(6, 8)))
    index = new_vectors(8, engine=engine)
    index.add([60, 10, 50, 20, 40, 30], vectors)
    (hits,) = index.search(vectors[:1], k=6)
    rows = [row for row, _ in hits]
    assert index.scores(vectors[0], rows) == pytest.approx([score for _, score in hits], abs=1e-6)
    assert index.scores(vectors[0], [60]) == pytest.approx([1.0])
    assert index.scores(vectors[0], []) == []


@every_engine
def test_equal_vectors_are_ordered_by_row_even_at_the_cut(engine):
    (hits,) = of_one_direction(engine, [9, 3, 5, 1]).search(unit(np.array([[1.0, 0.0]])), k=2)
    assert [row for row, _ in hits] == [1, 3]


@every_engine
def test_asking_for_more_than_there_is_pads_nothing(engine):
    query = unit(np.array([[1.0, 0.0]]))
    assert of_one_direction(engine, [7]).search(query, k=50) == [[ScoredRow(7, pytest.approx(1.0))]]
    assert new_vectors(2, engine=engine).search(query, k=5) == [[]]


@every_engine
def test_saving_and_loading_changes_nothing(engine, tmp_path):
    vectors = unit(np.random.default_rng(0).normal(size=(20, 4)))
    index = new_vectors(4, engine=engine)
    index.add(range(100, 120), vectors)
    index.save(tmp_path / "vectors")
    loaded = load_vectors(tmp_path / "vectors", engine)
    assert loaded.search(vectors, k=20) == index.search(vectors, k=20)
    assert (len(loaded), loaded.dimension) == (20, 4)
    assert loaded.rows().tolist() == list(range(100, 120))
    loaded.remove(range(100, 119))
    loaded.add([7], vectors[:1])
    assert_best(loaded, [119, 7], vectors[[19, 0]], vectors[:1], 2)


@every_engine
@pytest.mark.parametrize("content", [b"", b"not an index"])
def test_a_file_that_is_no_index_is_refused_with_a_sentence(engine, content, tmp_path):
    (tmp_path / "vectors").write_bytes(content)
    with pytest.raises(IndexUnusableError, match=r"vectors is not a readable .* index; build the index"):
        load_vectors(tmp_path / "vectors", engine)


def test_an_engine_that_is_not_here_is_one_sentence_that_names_those_that_are(tmp_path):
    with pytest.raises(
        IndexUnusableError, match=r"by the vector engine 'fast', but this Loccit has flat; upgr"
    ):
        load_vectors(tmp_path / "vectors", "fast")


def test_every_engine_stands_in_the_table_under_its_name():
    assert {name: engine.name for name, engine in ENGINES.items()} == {name: name for name in ENGINES}
    assert DEFAULT_ENGINE in ENGINES


def test_only_the_table_knows_the_engines():
    modules = [path for path in ROOT.rglob("*.py") if ".venv" not in path.parts and path != Path(__file__)]
    naming = {path.relative_to(ROOT).as_posix() for path in modules if "vectors.flat" in path.read_text()}
    assert naming == {"retriever/vectors/engines.py"}
