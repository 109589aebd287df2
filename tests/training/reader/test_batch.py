"""Examples packed: what a pointer may choose, and what counts as right."""

import numpy as np

from app.answering.cross_encoders.reader_input import ReaderInput
from training.reader.batch import batch_of
from training.reader.example import Example


def sequence(first, window, after):
    """A sequence whose window begins at token ``first`` and is followed by so many tokens."""
    tokens = first + window + after
    edges = np.ones(window, dtype=bool)
    return ReaderInput(
        window="x" * window,
        ids=tuple(range(tokens)),
        types=(0,) * tokens,
        first=first,
        offsets=np.array([(place, place + 1) for place in range(window)], dtype=np.int64).reshape(-1, 2),
        starts=edges,
        ends=edges,
        read=window,
    )


def test_an_answers_tokens_are_right_or_else_the_first_token_of_each_sequence():
    answered = Example((sequence(2, 3, 1), sequence(3, 1, 1)), ((), ((3, 3),)))
    silent = Example((sequence(2, 2, 1), sequence(2, 1, 1)), ((), ()))
    batch = batch_of([answered, silent])
    assert batch.pairs.tolist() == [[9, 9], [11, 11], [16, 16]]
    assert (batch.group_pairs, batch.group_tokens, batch.group_sequences) == ((1, 2), (11, 9), (2, 2))
    assert batch.answerable.tolist() == [0.0, 1.0, 0.0, 0.0]
    choosable = [place for place, allowed in enumerate(batch.allowed.tolist()) if allowed]
    assert choosable == [0, 2, 3, 4, 6, 9, 11, 13, 14, 16, 18]
