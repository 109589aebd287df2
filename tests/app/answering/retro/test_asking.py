"""Where the evidence of a question goes, by mode, and what is seen of it."""

import numpy as np
import pytest
import torch

from app.answering.evidence_model.evidence_input import EvidenceTokenizer
from app.answering.retro.asking import (
    PREFIX_TOKENS,
    Asked,
    Asker,
    RetroAnswers,
    SoftPrefix,
    prefix_of,
)
from app.answering.retro.evidence_mode import EvidenceMode
from app.answering.retro.generation import STATE, RetroBatch, padded
from app.answering.retro.model import RetroModel
from app.answering.retro.modules import RetroModules
from app.answering.retro.passage_neighbours import PassageNeighbours
from app.answering.retro.settings import RetroSettings
from retriever.chunk_database import NO_TOKEN
from retriever.encoder import HashingEncoder
from tests.tiny_models import BYTES, HIDDEN, byte_tokenizer, llama

PASSAGES = [("Tower", "It has nine bells."), ("", "The bridge has arches."), ("Sea", "Salt.")]
VALUE = 32


def tokenizer():
    return EvidenceTokenizer(byte_tokenizer(), begin=[])


def asker(mode, **options):
    encoder = HashingEncoder(dimension=16) if mode is EvidenceMode.PREFIX else None
    return Asker(tokenizer(), mode, value=VALUE, encoder=encoder, **options)


def open_model():
    torch.manual_seed(6)
    settings = RetroSettings(
        layers=(1, 2), hidden=HIDDEN, chunk=8, value=VALUE, heads=4, head_width=8, rank=3
    )
    modules = RetroModules(settings).eval()
    for attention in modules.attention:
        torch.nn.init.constant_(attention.gate, 0.016)
    return RetroModel(llama(BYTES), modules)


@pytest.mark.parametrize(
    ("mode", "in_prompt", "attended", "vectors"),
    [
        (EvidenceMode.PROMPT, 2, 0, 0),
        (EvidenceMode.ATTENTION, 0, 3, 0),
        (EvidenceMode.BOTH, 2, 3, 0),
        (EvidenceMode.PREFIX, 0, 0, 3),
    ],
)
def test_each_mode_has_the_passages_where_it_says(mode, in_prompt, attended, vectors):
    asked = asker(mode).ask("How many bells?", PASSAGES)
    text = tokenizer().text(asked.prompt)

    assert text.endswith("Question: How many bells?\nAnswer:")
    assert [window in text for _, window in PASSAGES] == [place < in_prompt for place in range(3)]
    assert [tokenizer().text(ids) for ids in asked.neighbours] == [
        "Tower: It has nine bells.",
        "The bridge has arches.",
        "Sea: Salt.",
    ][:attended]
    assert (0 if asked.vectors is None else len(asked.vectors)) == vectors


def test_a_neighbour_is_cut_at_what_is_read_of_it_and_the_worst_passages_are_left_out():
    long = [("Tower", "nine " * 40), *PASSAGES]
    asked = asker(EvidenceMode.ATTENTION, neighbours=2).ask("?", long)

    assert [len(ids) for ids in asked.neighbours] == [VALUE, len("Tower: It has nine bells.")]


@pytest.mark.parametrize("mode", list(EvidenceMode))
def test_what_is_answered_depends_on_the_passages(mode):
    model = open_model()
    prefix = SoftPrefix(16, HIDDEN, scale=3.0).eval() if mode is EvidenceMode.PREFIX else None
    asking = asker(mode)

    def first_logits(passages):
        asked = asking.ask("How many?", passages)
        source = PassageNeighbours([asked.neighbours], value=VALUE, last=True) if mode.attended else None
        states = None if prefix is None else [prefix_of(prefix, asked)]
        with torch.inference_mode():
            return RetroBatch(model, [asked.prompt], source, states).prefill()

    before, after = first_logits(PASSAGES), first_logits([("Tower", "Ten!"), *PASSAGES[1:]])

    assert (before - after).abs().max() > 1e-3


@pytest.mark.parametrize("mode", list(EvidenceMode))
def test_an_answer_that_is_cut_off_is_none(mode):
    prefix = SoftPrefix(16, HIDDEN, scale=3.0).eval() if mode is EvidenceMode.PREFIX else None
    answers = RetroAnswers(open_model(), asker(mode), prefix)

    assert answers.answer("How many?", PASSAGES, max_tokens=3) == ""


def test_an_answer_ends_at_the_end_of_its_line(monkeypatch):
    asking = asker(EvidenceMode.ATTENTION)
    ids = asking.answer("nine bells")
    told = iter([*ids, *ids])

    def scripted(_):
        logits = torch.zeros(1, BYTES)
        logits[0, next(told)] = 1.0
        return logits

    monkeypatch.setattr(RetroBatch, "prefill", scripted)
    monkeypatch.setattr(RetroBatch, "step", lambda batch, _: scripted(batch))

    assert RetroAnswers(open_model(), asking).answer("How many?", PASSAGES, max_tokens=32) == "nine bells"


def test_states_of_a_prefix_stand_right_before_the_prompt():
    prompt = [5, 6, 7]
    [row] = padded([[STATE] * 2 + prompt], 8)
    assert row.tolist() == [NO_TOKEN] * 3 + [STATE] * 2 + prompt

    asked = Asked(tuple(prompt), (), np.ones((2, 16), dtype=np.float32))
    assert prefix_of(SoftPrefix(16, HIDDEN, scale=1.0), asked).shape == (2 * PREFIX_TOKENS, HIDDEN)


def test_a_prefix_needs_an_encoder_and_vectors():
    with pytest.raises(ValueError, match="needs an encoder"):
        Asker(tokenizer(), EvidenceMode.PREFIX, value=VALUE)
    with pytest.raises(ValueError, match="without vectors"):
        prefix_of(SoftPrefix(16, HIDDEN, scale=1.0), Asked((5,), ()))
