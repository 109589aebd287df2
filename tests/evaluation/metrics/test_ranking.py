from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score, top_k_accuracy_score

from evaluation.metrics.ranking import hit_at, ndcg_at, reciprocal_rank

SECOND_AND_FOURTH = [False, True, False, True]
rankings = st.lists(st.booleans(), min_size=1, max_size=12)


def test_a_hit_is_any_relevant_item_among_the_first_k():
    assert not hit_at(SECOND_AND_FOURTH, k=1)
    assert hit_at(SECOND_AND_FOURTH, k=2)
    assert not hit_at([False, False], k=5)
    assert not hit_at([], k=5)


def test_reciprocal_rank_is_that_of_the_first_relevant_item():
    assert reciprocal_rank(SECOND_AND_FOURTH) == 1 / 2
    assert reciprocal_rank([True, True]) == 1
    assert reciprocal_rank([False, False]) == 0
    assert reciprocal_rank([]) == 0


def test_ndcg_discounts_by_rank_and_compares_with_the_best_ranking():
    # gained at ranks 2 and 4; three relevant items would at best stand at ranks 1, 2 and 3
    gained, best = 1 / log2(3) + 1 / log2(5), 1 + 1 / log2(3) + 1 / log2(4)
    assert ndcg_at(SECOND_AND_FOURTH, k=4, total=3) == pytest.approx(gained / best)
    # of the first two, rank 2 gains; at best ranks 1 and 2 would
    assert ndcg_at(SECOND_AND_FOURTH, k=2, total=3) == pytest.approx((1 / log2(3)) / (1 + 1 / log2(3)))
    assert ndcg_at([True, True, False], k=3, total=2) == 1
    assert ndcg_at([], k=3, total=2) == 0
    assert ndcg_at([False], k=3, total=0) is None
    assert ndcg_at([True], k=0, total=1) is None


@given(rankings, st.integers(1, 15), st.integers(0, 4))
def test_ndcg_is_scikit_learns(relevant, k, unranked):
    total = sum(relevant) + unranked
    # relevant items that were never ranked stand where no k reaches
    flags = np.array([[*relevant, *[False] * 15, *[True] * unranked]])
    ours = ndcg_at(relevant, k=k, total=total)
    assert ours == (pytest.approx(ndcg_score(flags, -np.arange(flags.size)[None, :], k=k)) if total else None)


@given(st.lists(st.permutations(range(6)), min_size=1, max_size=10), st.integers(1, 5))
def test_the_share_of_hits_is_scikit_learns_top_k_accuracy(orders, k):
    # every question has six passages of which passage 0 is relevant; `order` ranks them, best first
    scores = [[-order.index(passage) for passage in range(6)] for order in orders]
    ours = np.mean([hit_at([passage == 0 for passage in order], k=k) for order in orders])
    theirs = top_k_accuracy_score([0] * len(orders), scores, k=k, labels=range(6))
    assert ours == pytest.approx(theirs)


@given(st.integers(1, 12), st.integers(0, 5))
def test_reciprocal_rank_of_one_relevant_item_is_scikit_learns_label_ranking_precision(rank, after):
    relevant = [False] * (rank - 1) + [True] + [False] * (after + 1)
    theirs = label_ranking_average_precision_score([relevant], [-np.arange(len(relevant))])
    assert reciprocal_rank(relevant) == pytest.approx(theirs)


@given(rankings, st.integers(1, 12))
def test_looking_further_never_hits_less(relevant, k):
    assert hit_at(relevant, k=k) <= hit_at(relevant, k=k + 1)
    assert hit_at(relevant, k=k) == (reciprocal_rank(relevant) >= 1 / k)


@given(rankings, st.integers(1, 12), st.randoms())
def test_only_what_stands_among_the_first_k_matters(relevant, k, random):
    rest = relevant[k:]
    random.shuffle(rest)
    shuffled, total = relevant[:k] + rest, sum(relevant)
    assert ndcg_at(shuffled, k=k, total=total) == ndcg_at(relevant, k=k, total=total)
