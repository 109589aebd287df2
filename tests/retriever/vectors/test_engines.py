"""Every engine of the table against brute-force numpy, by value."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import IndexUnusableError, InvalidRequestError
from retriever.types import ScoredRow
from retriever.vectors import faiss_index, ivf_pq
from retriever.vectors.engines import (
    AUTO,
    DEFAULT_ENGINE,
    ENGINES,
    FLAT_UP_TO,
    check_engine,
    engine_for,
    load_vectors,
    new_vectors,
)
from retriever.vectors.protocol import VectorIndex

ROOT = Path(__file__).parents[3]
DIMENSION = 16
RECALL = {"flat": 1.0, "ivf-sq8": 0.97, "ivf-pq": 0.4, "hnsw-sq8": 0.97}
"""The share of the ten best rows that each must find of clustered vectors."""
ERROR = {"flat": 1e-6, "ivf-sq8": 0.01, "ivf-pq": 0.2, "hnsw-sq8": 0.02}
"""How far a score may be from that of the vector before it was held in fewer bits."""
every_engine = pytest.mark.parametrize("engine", ENGINES)
every_exact_engine = pytest.mark.parametrize("engine", [name for name in ENGINES if ENGINES[name].exact])
every_approximate_engine = pytest.mark.parametrize(
    "engine", [name for name in ENGINES if not ENGINES[name].exact]
)


@pytest.fixture(autouse=True)
def short_training(monkeypatch):
    """Two rounds teach codes enough for vectors as simple as these."""
    monkeypatch.setattr(ivf_pq, "_ROUNDS", 2)


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@cache
def clustered(count: int, *, seed: int = 0) -> np.ndarray:
    """Unit vectors around 50 centres; for every seed around the same ones."""
    centres = np.random.default_rng(50).normal(size=(50, DIMENSION))
    random = np.random.default_rng(seed)
    chosen = centres[random.integers(50, size=count)]
    return unit(chosen + 0.5 * random.normal(size=chosen.shape))


def vectors_for(engine: str) -> np.ndarray:
    """As many vectors as it takes to train the engine, and some."""
    return clustered(ENGINES[engine].least + 1000)


def rows_of(vectors: np.ndarray) -> list[int]:
    """Rows with gaps, in no order."""
    return (7 + 3 * np.random.default_rng(1).permutation(len(vectors))).tolist()


def filled(engine: str) -> tuple[VectorIndex, list[int], np.ndarray]:
    vectors = vectors_for(engine)
    index, rows = new_vectors(DIMENSION, engine=engine), rows_of(vectors)
    index.add(rows, vectors)
    return index, rows, vectors


def recall(index: VectorIndex, rows: list[int], vectors: np.ndarray, queries: np.ndarray) -> float:
    """The share of the ten best rows that are found; what is found is in order and scored about right."""
    place_of = {row: place for place, row in enumerate(rows)}
    right = 0
    for query, hits in zip(queries, index.search(queries, k=10), strict=True):
        found = [row for row, _ in hits]
        assert len(set(found)) == len(found) <= 10
        assert hits == sorted(hits, key=lambda hit: (-hit.score, hit.row))
        true = [float(vectors[place_of[row]] @ query) for row in found]
        assert [score for _, score in hits] == pytest.approx(true, abs=ERROR[index.name])
        right += len(set(found) & {rows[place] for place in np.argsort(-(vectors @ query))[:10]})
    return right / (10 * len(queries))


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
    """The index answers the query, shape (1, dimension), as comparing with every vector of these rows does."""
    scores = dict(zip(rows, (vectors @ query[0]).tolist(), strict=True))
    expected = sorted(scores, key=lambda row: (-scores[row], row))[:k]
    (hits,) = index.search(query, k=k, within=within)
    assert [row for row, _ in hits] == expected
    assert [score for _, score in hits] == pytest.approx([scores[row] for row in expected], abs=1e-6)


def assert_best_by_its_own_scores(index: VectorIndex, query: np.ndarray, k: int, within: np.ndarray) -> None:
    """Of the rows in ``within``, the best by the scores of vectors as they are held; equal ones may change places."""
    scores = dict(zip(within.tolist(), index.scores(query[0], within.tolist()), strict=True))
    (hits,) = index.search(query, k=k, within=within)
    assert len({row for row, _ in hits}) == len(hits) == min(k, len(within))
    assert [score for _, score in hits] == pytest.approx([scores[row] for row, _ in hits], abs=1e-5)
    assert [score for _, score in hits] == pytest.approx(sorted(scores.values())[::-1][:k], abs=1e-5)


@every_engine
def test_the_best_rows_are_found_and_scored(engine):
    assert recall(*filled(engine), clustered(100, seed=2)) >= RECALL[engine]


@every_approximate_engine
def test_a_larger_effort_finds_more(engine):
    index, rows, vectors = filled(engine)
    found = {}
    for effort in (1, 8, index.largest_effort):
        index.effort = effort
        found[effort] = recall(index, rows, vectors, clustered(100, seed=2))
    assert found[1] < found[8] <= found[index.largest_effort]
    assert found[index.largest_effort] >= RECALL[engine]


@every_exact_engine
@given(seed=st.integers(0, 2**31), count=st.integers(1, 40), k=st.integers(1, 50))
def test_results_are_those_of_brute_force(engine, seed, count, k):
    random = np.random.default_rng(seed)
    vectors, query = unit(random.normal(size=(count, 8))), unit(random.normal(size=(1, 8)))
    rows = random.permutation(1000)[:count].tolist()
    index = new_vectors(8, engine=engine)
    index.add(rows, vectors)
    assert_best(index, rows, vectors, query, k)


@cache
def lasting(engine: str) -> tuple[VectorIndex, np.ndarray]:
    """A filled index that no test changes, and its rows, ascending. A search of all finds as little as it may."""
    index, rows, _ = filled(engine)
    index.effort = 1
    return index, np.sort(rows)


shares = st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0])


@every_exact_engine
@given(seed=st.integers(0, 2**31), share=shares, k=st.integers(1, 50))
def test_results_within_some_rows_are_those_of_brute_force_over_them(engine, seed, share, k):
    random = np.random.default_rng(seed)
    vectors, query = unit(random.normal(size=(300, 8))), unit(random.normal(size=(1, 8)))
    rows = random.permutation(1000)[:300]
    index = new_vectors(8, engine=engine)
    index.add(rows.tolist(), vectors)
    places = np.sort(random.permutation(300)[: round(300 * share)])
    assert_best(index, rows[places].tolist(), vectors[places], query, k, within=np.sort(rows[places]))


@every_engine
@given(seed=st.integers(0, 2**31), share=shares, k=st.integers(1, 50))
def test_results_within_few_rows_are_those_of_brute_force_by_the_scores_as_held(engine, seed, share, k):
    index, rows = lasting(engine)
    random = np.random.default_rng(seed)
    within = np.sort(random.choice(rows, min(2000, round(len(rows) * share)), replace=False))
    assert_best_by_its_own_scores(index, unit(random.normal(size=(1, DIMENSION))), k, within)


@every_approximate_engine
def test_within_many_rows_as_large_a_share_is_found_as_without_and_never_others(engine, monkeypatch):
    monkeypatch.setattr(faiss_index, "_ALL_COMPARED", 0)
    index, rows, vectors = filled(engine)
    index.effort = 1
    places = np.flatnonzero(np.array(rows) % 4 == 0)
    within = np.sort(np.array(rows)[places])
    queries, right = clustered(50, seed=2), 0
    for query, hits in zip(queries, index.search(queries, k=10, within=within), strict=True):
        found = {row for row, _ in hits}
        assert len(found) == 10
        assert found <= set(within.tolist())
        right += len(found & {rows[place] for place in places[np.argsort(-(vectors[places] @ query))[:10]]})
    assert right / 500 >= recall(index, rows, vectors, queries) - 0.02


@every_approximate_engine
def test_within_a_quarter_of_the_rows_a_search_spends_four_times_the_effort(engine, monkeypatch):
    monkeypatch.setattr(faiss_index, "_ALL_COMPARED", 0)
    index, rows, vectors = filled(engine)
    parameters, spent = index._parameters, []
    monkeypatch.setattr(
        index, "_parameters", lambda effort, among: (spent.append(effort), parameters(effort, among))[1]
    )
    index.search(vectors[:1], k=5, within=np.sort(rows[: len(rows) // 4]))
    assert spent == [4 * index.effort]


@every_approximate_engine
def test_where_a_search_within_rows_finds_too_few_all_of_them_are_compared(engine, monkeypatch):
    monkeypatch.setattr(faiss_index, "_ALL_COMPARED", 0)
    index, rows, vectors = filled(engine)
    index.effort = 1
    # the half that is farthest from the query
    places = np.argsort(vectors @ vectors[0])[: len(rows) // 2]
    within = np.sort(np.array(rows)[places])
    assert_best_by_its_own_scores(index, vectors[:1], 200, within)


@every_engine
def test_a_loaded_index_searches_within_rows_as_the_one_that_was_saved(engine, tmp_path):
    index, rows = lasting(engine)
    index.save(tmp_path / "vectors")
    loaded, queries = load_vectors(tmp_path / "vectors", engine, index.arguments), clustered(20, seed=2)
    assert loaded.search(queries, k=20, within=rows[::3]) == index.search(queries, k=20, within=rows[::3])


@every_exact_engine
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


@every_exact_engine
def test_equal_vectors_alone_are_ordered_by_row_and_nothing_is_padded(engine):
    index = of_one_direction(engine, [9, 3, 5, 1])
    query = unit(np.array([[1.0, 0.0]]))
    assert [row for row, _ in index.search(query, k=2)[0]] == [1, 3]
    assert of_one_direction(engine, [7]).search(query, k=50) == [[ScoredRow(7, pytest.approx(1.0))]]


@every_engine
def test_removed_rows_are_found_no_more_and_the_rest_as_before(engine):
    index, rows, vectors = filled(engine)
    index.remove(rows[:300])
    assert index.rows().tolist() == sorted(rows[300:])
    assert len(index) == len(rows) - 300
    assert recall(index, rows[300:], vectors[300:], vectors[:100]) >= RECALL[engine]


@every_engine
@pytest.mark.parametrize(
    ("removed", "sentence"),
    [
        ([7, 8], "Row 8 is not held, so it cannot be removed"),
        ([7, 7], "Row 7 stands twice among the rows given"),
    ],
)
def test_rows_that_cannot_be_removed_are_refused_and_nothing_is_removed(engine, removed, sentence):
    index, rows, _ = filled(engine)
    with pytest.raises(ValueError, match=sentence):
        index.remove(removed)
    index.remove([])
    assert index.rows().tolist() == sorted(rows)


@every_engine
@pytest.mark.parametrize(
    ("added", "sentence"),
    [([8, 7], "Row 7 is held already"), ([8, 8], "Row 8 stands twice among the rows given")],
)
def test_rows_that_are_held_already_are_refused_and_nothing_is_added(engine, added, sentence):
    index, rows, vectors = filled(engine)
    with pytest.raises(ValueError, match=sentence):
        index.add(added, clustered(2, seed=3))
    assert index.rows().tolist() == sorted(rows)
    place = rows.index(7)
    assert index.scores(vectors[place], [7]) == [pytest.approx(1.0, abs=ERROR[engine])]


@every_engine
def test_a_removed_row_can_be_added_again_with_another_vector(engine):
    index, rows, _vectors = filled(engine)
    index.remove(rows[:1])
    other = clustered(1, seed=4)
    index.add(rows[:1], other)
    assert index.scores(other[0], rows[:1]) == [pytest.approx(1.0, abs=2 * ERROR[engine])]
    assert rows[0] in {row for row, _ in index.search(other, k=3)[0]}


@every_engine
def test_an_exact_match_is_among_the_best_and_scores_about_one(engine):
    index, rows, vectors = filled(engine)
    for place in range(20):
        (hits,) = index.search(vectors[place : place + 1], k=5)
        scores = {row: score for row, score in hits if row == rows[place]}
        assert scores == {rows[place]: pytest.approx(1.0, abs=ERROR[engine])}


@every_engine
def test_single_rows_score_as_in_a_search(engine):
    index, _, _ = filled(engine)
    query = clustered(1, seed=2)
    (hits,) = index.search(query, k=20)
    rows = [row for row, _ in hits]
    assert index.scores(query[0], rows[::-1]) == pytest.approx([score for _, score in hits][::-1], abs=1e-5)
    assert index.scores(query[0], []) == []


@every_engine
def test_equal_vectors_are_ordered_by_row_even_at_the_cut(engine):
    index, _rows, vectors = filled(engine)
    # farther from the rest than any other, so that nothing comes between them
    twins = np.repeat(unit(vectors[:1] - 3 * vectors[1:2]), 4, axis=0)
    index.add([4, 2, 5, 1], twins)
    (hits,) = index.search(twins[:1], k=2)
    assert [row for row, _ in hits] == [1, 2]


@every_engine
def test_asking_for_more_than_there_is_pads_nothing(engine):
    index, rows, vectors = filled(engine)
    (hits,) = index.search(vectors[:1], k=len(rows) + 50)
    found = [row for row, _ in hits]
    assert len(set(found)) == len(found)
    assert set(found) <= set(rows)
    assert new_vectors(2, engine=engine).search(unit(np.array([[1.0, 0.0]])), k=5) == [[]]


@every_engine
def test_saving_and_loading_changes_nothing(engine, tmp_path):
    index, rows, _vectors = filled(engine)
    path = tmp_path / "vectors"
    index.save(path)
    loaded = load_vectors(path, engine, index.arguments)
    queries = clustered(50, seed=2)
    assert loaded.search(queries, k=20) == index.search(queries, k=20)
    assert loaded.scores(queries[0], rows[:20]) == index.scores(queries[0], rows[:20])
    assert (len(loaded), loaded.dimension) == (len(rows), DIMENSION)
    assert loaded.arguments == index.arguments
    assert loaded.rows().tolist() == sorted(rows)


@every_engine
def test_a_loaded_index_can_be_changed_and_its_file_stays_as_it_is(engine, tmp_path):
    index, rows, vectors = filled(engine)
    path = tmp_path / "vectors"
    index.save(path)
    content = path.read_bytes()
    loaded = load_vectors(path, engine)
    loaded.remove(rows[:200])
    loaded.add([1, 2], vectors[:2])
    assert path.read_bytes() == content
    changed_rows, changed = [*rows[200:], 1, 2], np.concatenate([vectors[200:], vectors[:2]])
    assert loaded.rows().tolist() == sorted(changed_rows)
    assert recall(loaded, changed_rows, changed, clustered(100, seed=2)) >= RECALL[engine]
    loaded.save(path)
    again = load_vectors(path, engine)
    assert again.search(changed[-2:], k=5) == loaded.search(changed[-2:], k=5)


@every_engine
def test_the_same_vectors_make_the_same_file(engine, tmp_path):
    contents = []
    for name in ("first", "second"):
        index, _, _ = filled(engine)
        index.save(tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]


@every_approximate_engine
def test_the_recorded_effort_is_what_a_loaded_index_spends(engine, tmp_path):
    index, _, _ = filled(engine)
    index.save(tmp_path / "vectors")
    recorded = {**index.arguments, index.effort_name: 3}
    loaded = load_vectors(tmp_path / "vectors", engine, recorded)
    assert loaded.effort == 3
    assert loaded.arguments == recorded
    assert new_vectors(DIMENSION, engine=engine, arguments=recorded).effort == 3


@every_approximate_engine
def test_too_few_vectors_to_train_on_are_refused_with_a_sentence(engine):
    index = new_vectors(DIMENSION, engine=engine)
    few = clustered(ENGINES[engine].least - 1)
    with pytest.raises(ValueError, match=rf"engine {engine} is trained on at least [\d,]+ vectors, but got"):
        index.add(range(len(few)), few)
    assert len(index) == 0
    assert index.search(few[:1], k=1) == [[]]


@every_engine
@pytest.mark.parametrize("content", [b"", b"not an index"])
def test_a_file_that_is_no_index_is_refused_with_a_sentence(engine, content, tmp_path):
    (tmp_path / "vectors").write_bytes(content)
    with pytest.raises(IndexUnusableError, match=r"vectors is not a readable .* index; build the index"):
        load_vectors(tmp_path / "vectors", engine)


@pytest.mark.parametrize(
    ("asked", "vectors", "engine"),
    [
        (AUTO, 1, "flat"),
        (AUTO, FLAT_UP_TO, "flat"),
        (AUTO, FLAT_UP_TO + 1, "ivf-sq8"),
        ("flat", 10**9, "flat"),
        ("ivf-sq8", 999, "flat"),
        ("ivf-sq8", 1_000, "ivf-sq8"),
        ("ivf-pq", 9_983, "flat"),
        ("ivf-pq", 9_984, "ivf-pq"),
        ("hnsw-sq8", 999, "flat"),
        ("hnsw-sq8", 1_000, "hnsw-sq8"),
    ],
)
def test_the_engine_is_the_one_asked_for_or_one_that_so_few_vectors_train(asked, vectors, engine):
    assert engine_for(asked, vectors=vectors) == engine


def test_an_engine_that_there_is_none_of_is_refused_naming_those_that_there_are():
    with pytest.raises(InvalidRequestError, match="no vector engine 'fast'; give one of auto, flat, ivf-sq8"):
        check_engine("fast")
    for name in (AUTO, *ENGINES):
        check_engine(name)


def test_an_engine_that_is_not_here_is_one_sentence_that_names_those_that_are(tmp_path):
    with pytest.raises(
        IndexUnusableError, match=r"by the vector engine 'fast', but this Loccit has flat, ivf-sq8, .*; upgr"
    ):
        load_vectors(tmp_path / "vectors", "fast")


def test_every_engine_stands_in_the_table_under_its_name():
    assert {name: engine.name for name, engine in ENGINES.items()} == {name: name for name in ENGINES}
    assert DEFAULT_ENGINE in ENGINES


@pytest.mark.parametrize("module", [engine.__module__ for engine in ENGINES.values()])
def test_only_the_table_knows_the_engines(module):
    modules = [path for path in ROOT.rglob("*.py") if ".venv" not in path.parts and path != Path(__file__)]
    naming = {path.relative_to(ROOT).as_posix() for path in modules if f"from {module} " in path.read_text()}
    assert naming == {"retriever/vectors/engines.py"}
