"""Examples packed: what a pointer may choose, and what counts as right."""

import numpy as np

from app.answering.answer_kind import AnswerKind
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
        sentences=np.ones(window, dtype=np.int64),
        read=window,
    )


def example(inputs, answers, **more):
    """A short answer's example that says nothing of sentences."""
    of_spans = {
        "answerable": tuple(map(bool, answers)),
        "sentences": ((),) * len(inputs),
        "kind": AnswerKind.SHORT,
    }
    return Example(inputs, answers, **{**of_spans, **more})


def test_an_answers_tokens_are_right_or_else_the_first_token_of_each_sequence():
    answered = example((sequence(2, 3, 1), sequence(3, 1, 1)), ((), ((3, 3),)))
    silent = example((sequence(2, 2, 1), sequence(2, 1, 1)), ((), ()))
    batch = batch_of([answered, silent])
    assert batch.pairs.tolist() == [[9, 9], [11, 11], [16, 16]]
    assert (batch.group_pairs, batch.group_tokens, batch.group_sequences) == ((1, 2), (11, 9), (2, 2))
    assert batch.answerable.tolist() == [0.0, 1.0, 0.0, 0.0]
    choosable = [place for place, allowed in enumerate(batch.allowed.tolist()) if allowed]
    assert choosable == [0, 2, 3, 4, 6, 9, 11, 13, 14, 16, 18]


def test_what_is_beyond_short_answers_is_packed_with_the_places_of_its_tokens():
    asked = example(
        (sequence(2, 4, 1), sequence(2, 2, 1)),
        ((), ()),
        answerable=(True, False),
        sentences=((((2, 3), True), ((4, 5), False)), (((2, 3), False),)),
        kind=AnswerKind.YES_NO,
        pointed=False,
        verdict=False,
    )
    silent = example((sequence(2, 1, 1),), ((),))
    batch = batch_of([asked, silent])
    assert batch.group_pairs == (0, 1)
    assert batch.pairs.tolist() == [[12, 12]]
    assert batch.sentences.tolist() == [[2, 3], [4, 5], [9, 10]]
    assert batch.evidence.tolist() == [1.0, 0.0, 0.0]
    assert (batch.sequences.tolist(), batch.group_sentences) == ([0, 0, 1], (3, 0))
    assert batch.answerable.tolist() == [1.0, 0.0, 0.0]
    assert [list(AnswerKind)[kind] for kind in batch.kinds.tolist()] == ["yes/no", "yes/no", "short"]
    assert (batch.said.tolist(), batch.verdicts.tolist()) == ([0], [0.0])


def test_a_batch_that_teaches_the_pointer_nothing_has_no_pairs():
    batch = batch_of([example((sequence(2, 1, 1),), ((),), pointed=False)])
    assert tuple(batch.pairs.shape) == (0, 2)
    assert tuple(batch.sentences.shape) == (0, 2)
