"""Encoding in turn: each vector at the place of its text, with a look at the clock before every few."""

import numpy as np
import pytest

from common.deadline import Deadline
from common.errors import DeadlineExceededError
from retriever.encoder import HashingEncoder, encode_in_turn


def test_every_vector_stands_where_its_text_does():
    encoder, checks = HashingEncoder(), []
    texts = [f"{'word ' * (number * 7 % 40)}{number}" for number in range(40)]
    vectors = encode_in_turn(encoder, texts, lambda: checks.append(1))
    assert np.array_equal(vectors, encoder.encode_passages(texts))
    assert len(checks) == 3


def test_no_texts_are_no_vectors():
    assert encode_in_turn(HashingEncoder(8), [], lambda: None).shape == (0, 8)


def test_what_the_check_raises_ends_it():
    with pytest.raises(DeadlineExceededError, match="'compose'"):
        encode_in_turn(HashingEncoder(), ["a"], lambda: Deadline.after(-1).check("compose"))
