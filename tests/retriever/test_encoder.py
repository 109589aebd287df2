"""What an encoder reads of a passage, and encoding in turn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.deadline import Deadline
from common.errors import DeadlineExceededError
from retriever.encoder import Encoder, HashingEncoder, encode_in_turn, load_encoder, passage_input
from retriever.text.passages import PassageSettings, split
from retriever.types import Document, heading_line

DENSE = [
    "Methylchloroisothiazolinone,",
    "Polyquaternium-10,",
    "o\ufb03ce",
    "com\u00adpany",
    "日本語",
    "It",
    "\n",
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder()


@pytest.mark.models
@settings(max_examples=40)
@given(text=st.lists(st.sampled_from(DENSE), min_size=60, max_size=300).map(" ".join))
def test_the_encoder_reads_every_passage_to_its_end(encoder, text):
    document = Document("d", "Hand cream", text)
    for draft in split(document, PassageSettings(), encoder):
        given_ = passage_input(heading_line(document.title, draft.headings), draft.span.of(text))
        (tokens,) = encoder.count_tokens([given_])
        assert tokens <= encoder.max_tokens == 254


@pytest.mark.models
def test_what_the_encoder_says_it_reads_is_what_changes_its_vectors(encoder):
    most = " ".join(["lamp"] * encoder.max_tokens)
    assert encoder.count_tokens([most]) == [encoder.max_tokens]
    whole, longer, shorter = encoder.encode_passages([most, f"{most} bell", most[: -len(" lamp")]])
    assert np.allclose(whole, longer)
    assert not np.allclose(whole, shorter)


@pytest.mark.models
def test_a_question_is_read_folded(encoder):
    first, second = encoder.encode_queries(
        ["where is the o\ufb03ce of Hen\u00adrik", "where is the office of Henrik"]
    )
    assert np.array_equal(first, second)


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
