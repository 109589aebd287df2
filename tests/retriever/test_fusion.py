from retriever.fusion import best_first, convex_combination, top_k
from retriever.types import ScoredRow


def rows(*pairs: tuple[int, float]) -> list[ScoredRow]:
    return [ScoredRow(*pair) for pair in pairs]


def test_a_combined_score_is_cosine_and_bm25_as_a_share_of_the_best():
    fused = convex_combination({7: 0.5, 3: 0.4, 5: -0.1}, rows((7, 9.0), (3, 18.0)), dense_weight=0.75)
    assert fused == rows((3, 0.75 * 0.4 + 0.25), (7, 0.75 * 0.5 + 0.125), (5, 0.75 * -0.1))


def test_without_a_word_in_common_the_cosine_decides_alone():
    assert convex_combination({1: 0.2, 2: 0.6}, [], dense_weight=0.5) == rows((2, 0.3), (1, 0.1))
    assert convex_combination({1: 0.2}, rows((1, 0.0)), dense_weight=0.5) == rows((1, 0.1))


def test_equal_scores_are_ordered_by_row():
    assert best_first(rows((9, 1.0), (2, 1.0), (4, 2.0))) == rows((4, 2.0), (2, 1.0), (9, 1.0))
    assert [row for row, _ in convex_combination({9: 0.5, 2: 0.5}, [])] == [2, 9]


def test_a_tie_at_the_cut_is_broken_by_row_whatever_the_engine_returned_first():
    everything = rows((8, 2.0), (6, 1.0), (5, 1.0), (4, 1.0), (1, 1.0), (0, 0.5))
    asked = []

    def engine(limit: int) -> list[ScoredRow]:
        asked.append(limit)
        return everything[:limit]

    assert top_k(engine, k=2) == rows((8, 2.0), (1, 1.0))
    assert asked == [3, 6]


def test_fewer_rows_than_asked_for_are_all_returned():
    assert top_k(lambda limit: rows((3, 1.0))[:limit], k=5) == rows((3, 1.0))
    assert top_k(lambda limit: [], k=5) == []
