"""The loss, against values worked out by hand."""

import math

import pytest
import torch

from app.answering.cross_encoders.cross_encoder import BroadScores, Packed, Scores
from training.reader.batch import Batch
from training.reader.loss import KIND_WEIGHT, reader_losses


def batch(
    *, pairs, group_pairs, answerable, sentences=(), evidence=(), kinds=(0, 0, 0), said=(), verdicts=()
):
    """Two groups: two sequences of 3 tokens ([CLS], one of the window, [SEP]), then one such sequence."""
    sequences = [first // 3 for first, _ in sentences]
    return Batch(
        Packed.of([((1, 2, 3), (0, 0, 0))] * 3),
        torch.tensor([True, True, False] * 3),
        (6, 3),
        torch.tensor(pairs, dtype=torch.long).reshape(-1, 2),
        group_pairs,
        (2, 1),
        torch.tensor(answerable),
        torch.tensor(sentences, dtype=torch.long).reshape(-1, 2),
        torch.tensor(evidence, dtype=torch.float32),
        torch.tensor(sequences, dtype=torch.long),
        (sum(number < 2 for number in sequences), sum(number == 2 for number in sequences)),
        torch.tensor(kinds),
        torch.tensor(said, dtype=torch.long),
        torch.tensor(verdicts, dtype=torch.float32),
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


def test_a_group_without_pairs_adds_nothing_to_the_pointers_mean():
    logits = torch.zeros(9)
    both = batch(pairs=[[1, 1], [6, 6]], group_pairs=(1, 1), answerable=[1.0, 0.0, 0.0])
    one = batch(pairs=[[6, 6]], group_pairs=(0, 1), answerable=[1.0, 0.0, 0.0])
    none = batch(pairs=[], group_pairs=(0, 0), answerable=[1.0, 0.0, 0.0])
    found = [
        float(reader_losses(Scores(logits, logits, torch.zeros(3)), some).pointer)
        for some in (both, one, none)
    ]
    of_first, of_second = 2 * math.log(4), 2 * math.log(2)
    assert found == pytest.approx([(of_first + of_second) / 2, of_second / 2, 0.0])


def broad_scores(evidence, kind, verdict):
    return Scores(
        torch.zeros(9),
        torch.zeros(9),
        torch.zeros(3),
        BroadScores(torch.tensor(evidence), torch.tensor(kind), torch.tensor(verdict)),
    )


def test_a_sentence_is_judged_by_the_mean_of_its_tokens_logits():
    scores = broad_scores(
        [9.0, math.log(3) - 1, math.log(3) + 1, 0.0, 9.0, -math.log(4), 0.0, 0.0, 0.0],
        [[0.0, 0.0, math.log(2), 0.0]] * 3,
        [5.0, math.log(3), -5.0],
    )
    target = batch(
        pairs=[[1, 1], [6, 6]],
        group_pairs=(1, 1),
        answerable=[1.0, 0.0, 0.0],
        sentences=[[1, 2], [5, 5]],
        evidence=[1.0, 0.0],
        kinds=(2, 2, 0),
        said=[1],
        verdicts=[0.0],
    )
    losses = reader_losses(scores, target)
    # 0.75 that is evidence, 0.2 that is not
    assert float(losses.broad.evidence) == pytest.approx(-(math.log(0.75) + math.log(0.8)) / 2, rel=1e-5)
    # answerability is 0.5 for both, so it is 0.75 of 0.95
    assert float(losses.broad.choice) == pytest.approx(-math.log(0.75 / 0.95), rel=1e-5)
    assert float(losses.broad.kind) == pytest.approx(-(2 * math.log(2 / 5) + math.log(1 / 5)) / 3, rel=1e-6)
    assert float(losses.broad.verdict) == pytest.approx(-math.log(0.25), rel=1e-6)
    narrow = float(losses.pointer) + float(losses.answerability)
    terms = losses.broad
    broad = float(terms.evidence + terms.choice + KIND_WEIGHT * terms.kind + terms.verdict)
    assert float(losses.total) == pytest.approx(narrow + broad)
    assert set(losses.by_name()) == {"pointer", "answerability", "evidence", "choice", "kind", "verdict"}


def test_where_nothing_is_known_the_broad_terms_are_zero():
    target = batch(pairs=[[1, 1], [6, 6]], group_pairs=(1, 1), answerable=[1.0, 0.0, 0.0])
    losses = reader_losses(broad_scores([0.0] * 9, [[0.0] * 4] * 3, [0.0] * 3), target)
    terms = losses.broad
    assert (float(terms.evidence), float(terms.choice), float(terms.verdict)) == (0.0, 0.0, 0.0)


def test_what_answers_competes_with_the_sentences_of_all_passages_of_its_question():
    evidence = torch.full((9,), math.log(3))  # 0.75 each
    scores = Scores(
        torch.zeros(9),
        torch.zeros(9),
        torch.tensor([math.log(4), -math.log(4), math.log(9)]),  # 0.8, 0.2, 0.9
        BroadScores(evidence, torch.zeros(3, 4), torch.zeros(3)),
    )
    sentences = [[1, 1], [2, 2], [4, 4], [7, 7]]

    def choice(is_evidence):
        target = batch(
            pairs=[[1, 1], [6, 6]],
            group_pairs=(1, 1),
            answerable=[1.0, 1.0, 0.0],
            sentences=sentences,
            evidence=is_evidence,
        )
        return float(reader_losses(scores, target).broad.choice)

    # of the products 0.6, 0.6 and 0.15; the second group has no evidence, and no term
    assert choice([1.0, 0.0, 0.0, 0.0]) == pytest.approx(-math.log(0.6 / 1.35), rel=1e-5)
    assert choice([0.0, 0.0, 1.0, 0.0]) == pytest.approx(-math.log(0.15 / 1.35), rel=1e-5)
    assert choice([1.0, 0.0, 1.0, 0.0]) == pytest.approx(-math.log(0.75 / 1.35), rel=1e-5)
    assert choice([1.0, 0.0, 0.0, 1.0]) == pytest.approx(-math.log(0.6 / 1.35) / 2, rel=1e-5)
