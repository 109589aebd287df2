"""The loss, against values worked out by hand."""

import math

import pytest
import torch

from app.answering.cross_encoders.cross_encoder import Packed, Scores
from training.reader.batch import Batch
from training.reader.loss import reader_losses


def batch(*, pairs, group_pairs, answerable):
    """Two groups: two sequences of 3 tokens ([CLS], one of the window, [SEP]), then one such sequence."""
    return Batch(
        Packed.of([((1, 2, 3), (0, 0, 0))] * 3),
        torch.tensor([True, True, False] * 3),
        (6, 3),
        torch.tensor(pairs),
        group_pairs,
        (2, 1),
        torch.tensor(answerable),
    )


def test_the_pointer_shares_one_normalisation_over_a_group_and_sums_over_occurrences():
    start = torch.tensor([0.0, math.log(2), 99.0, 0.0, math.log(4), 99.0, math.log(3), 0.0, 99.0])
    end = torch.tensor([0.0, math.log(5), 99.0, 0.0, 0.0, 99.0, 0.0, 0.0, 99.0])
    # group 1: both window tokens answer; group 2 has no answer, so its [CLS] is right
    losses = reader_losses(
        Scores(start, end, torch.zeros(3)),
        batch(pairs=[[1, 1], [4, 4], [6, 6]], group_pairs=(2, 1), answerable=[1.0, 1.0, 0.0]),
    )
    first = (2 / 8) * (5 / 8) + (4 / 8) * (1 / 8)  # of 1 + 2 + 1 + 4, and of 1 + 5 + 1 + 1
    second = (3 / 4) * (1 / 2)
    assert float(losses.pointer) == pytest.approx(-(math.log(first) + math.log(second)) / 2, rel=1e-6)
    assert float(losses.answerability) == pytest.approx(math.log(2), rel=1e-6)


def test_answerability_is_a_mean_over_passages_within_a_group_and_then_over_groups():
    logits = torch.tensor([math.log(3), math.log(3), -math.log(9)])  # 0.75, 0.75, 0.1
    losses = reader_losses(
        Scores(torch.zeros(9), torch.zeros(9), logits),
        batch(pairs=[[1, 1], [6, 6]], group_pairs=(1, 1), answerable=[1.0, 0.0, 0.0]),
    )
    of_first = -(math.log(0.75) + math.log(0.25)) / 2
    assert float(losses.answerability) == pytest.approx((of_first - math.log(0.9)) / 2, rel=1e-6)
    assert float(losses.total) == pytest.approx(float(losses.pointer) + float(losses.answerability))


def test_tokens_that_may_not_be_chosen_do_not_matter():
    def loss(other):
        logits = torch.tensor([0.0, 1.0, other] * 3)
        target = batch(pairs=[[1, 1], [6, 6]], group_pairs=(1, 1), answerable=[1.0, 0.0, 0.0])
        return float(reader_losses(Scores(logits, logits, torch.zeros(3)), target).total)

    assert loss(-50.0) == loss(50.0)
