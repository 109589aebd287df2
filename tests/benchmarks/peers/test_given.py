import pytest
import torch
from transformers import AutoModelForQuestionAnswering

from app.answering.cross_encoders.cross_encoder import Packed
from app.answering.cross_encoders.reader_input import ReaderTokenizer
from app.answering.cross_encoders.reader_weights import READER_KIND, reader_encoder
from app.answering.shipped_weights import WEIGHTS_FOLDER, shipped_weights
from benchmarks.peers.given import reader_as_question_answering
from common.packaged import minilm_folder


@pytest.mark.models
def test_the_reader_points_alike_as_a_model_for_question_answering(tmp_path):
    reader_as_question_answering(tmp_path / "reader")
    theirs = AutoModelForQuestionAnswering.from_pretrained(tmp_path / "reader").eval()
    path, _ = shipped_weights("reader", READER_KIND, WEIGHTS_FOLDER)
    ours = reader_encoder(path, minilm_folder()).eval()
    [sequence] = ReaderTokenizer(minilm_folder()).inputs("who built it", [("Tower", "Ann built it in 1698.")])
    with torch.inference_mode():
        scores = ours(Packed.of([(sequence.ids, sequence.types)]))
        told = theirs(input_ids=torch.tensor([sequence.ids]), token_type_ids=torch.tensor([sequence.types]))
    assert torch.allclose(told.start_logits[0], scores.start, atol=1e-4)
    assert torch.allclose(told.end_logits[0], scores.end, atol=1e-4)
    reader_as_question_answering(tmp_path / "untyped", typed=False)
    untyped = AutoModelForQuestionAnswering.from_pretrained(tmp_path / "untyped").eval()
    first, second = untyped.bert.embeddings.token_type_embeddings.weight
    assert torch.equal(first, second)
    assert torch.equal(first, theirs.bert.embeddings.token_type_embeddings.weight.mean(0))
