from retriever.fusion import best_first, reciprocal_rank_fusion, top_k
from retriever.types import ScoredRow


def rows(*pairs: tuple[int, float]) -> list[ScoredRow]:
    return [ScoredRow(*pair) for pair in pairs]


def test_a_fused_score_is_the_sum_of_reciprocal_ranks():
    fused = reciprocal_rank_fusion([rows((7, 9.0), (3, 8.0)), rows((3, 0.9), (5, 0.1))], constant=60)
    assert fused == rows((3, 1 / 62 + 1 / 61), (7, 1 / 61), (5, 1 / 62))


def test_equal_scores_are_ordered_by_row():
    assert best_first(rows((9, 1.0), (2, 1.0), (4, 2.0))) == rows((4, 2.0), (2, 1.0), (9, 1.0))
    assert [row for row, _ in reciprocal_rank_fusion([rows((9, 1.0)), rows((2, 1.0))])] == [2, 9]


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
