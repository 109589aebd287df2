import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retriever.encoder import Encoder, load_encoder, passage_input
from retriever.passages import PassageSettings, split
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
