"""Examples packed for a language model: nothing beside an answer changes what is minimised for it."""

from dataclasses import replace
from itertools import pairwise
from math import log
from statistics import fmean

import pytest
import torch

from app.answering.evidence_model.adapted_lm import AdaptedLM
from app.answering.evidence_model.citation_head import CitationHead
from common.errors import LoccitError
from tests.tiny_models import BYTES, FAMILIES, HIDDEN
from tests.training.adapter.toy_examples import PLAIN, answerable, example_of, text_of, tokenizer
from training.adapter.batch import evidence_losses, evidence_parts, require_packable
from training.adapter.example import EvidenceSettings
from training.data.question import Source

TOGETHER = replace(PLAIN, passages=(0.0, 1.0))


@pytest.fixture(params=FAMILIES, ids=lambda build: build.__name__)
def model(request):
    """A passage is longer than the sliding window of the one that has one."""
    return request.param(BYTES)


@pytest.fixture
def head():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return CitationHead(HIDDEN)


def losses_of(model, head, *examples):
    """Of the examples in one batch."""
    (batch,) = evidence_parts(examples, 1, "cpu")
    return evidence_losses(model, head, batch)


def served(model, head, question, example):
    """Every answer of the example as serving judges it, by itself."""
    passages = list(zip(example.prompt.titles, example.prompt.windows, strict=True))
    evidence = AdaptedLM(model, tokenizer(), head).read(question, passages)
    assert evidence.prompt.ids == example.prompt.ids
    return [evidence.score([text_of(answer).strip()])[0] for answer in example.answers]


def test_parts_hold_every_example_once_alike_in_length(opened):
    records = [one for one in opened.training()[Source.SQUAD] if one.answerable][:6]
    examples = [example_of(opened, one, EvidenceSettings(), seed=seed) for seed, one in enumerate(records)]
    parts = evidence_parts(examples, 3, "cpu")
    assert sorted(one.tokens for part in parts for one in part.examples) == sorted(
        one.tokens for one in examples
    )
    lengths = [[one.tokens for one in part.examples] for part in parts]
    assert all(min(longer) >= max(shorter) for longer, shorter in pairwise(lengths))


@torch.no_grad()
def test_the_loss_of_a_batch_is_the_mean_over_examples_alone(opened, model, head):
    """Padding, and who stands beside an example, change nothing."""
    records = [one for one in opened.training()[Source.SQUAD] if one.answerable][:3]
    shown_as = (PLAIN, replace(PLAIN, quoted=1.0), replace(PLAIN, unanswerable=1.0))
    examples = [example_of(opened, one, how, seed=1) for one, how in zip(records, shown_as, strict=True)]
    assert len({one.tokens for one in examples}) == 3
    whole = losses_of(model, head, *examples)
    alone = [losses_of(model, head, one) for one in examples]
    for name, value in whole.by_name().items():
        parts = [float(one.by_name()[name]) for one in alone]
        assert float(value) == pytest.approx(sum(parts) / 3, rel=1e-4)
    assert (float(alone[1].cite), float(alone[1].right)) == (0.0, 0.0)
    assert min(float(one) for losses in (alone[0], alone[2]) for one in losses) > 0.1


@torch.no_grad()
def test_answers_packed_beside_each_other_are_judged_as_when_served_alone(opened, model, head):
    record = answerable(opened, rows=3)
    one = example_of(opened, record, TOGETHER)
    asked = [(number, answer) for number, answer in enumerate(one.answers) if answer.right is not None]
    assert len(asked) >= 3
    found = losses_of(model, head, one, one)
    alone = served(model, head, record.question, one)
    entropies = [
        -answer.right * log(alone[number].pointed.right)
        - (1 - answer.right) * log(1 - alone[number].pointed.right)
        for number, answer in asked
    ]
    assert float(found.right) == pytest.approx(fmean(entropies), rel=1e-3)
    nulls = [-log(alone[number].pointed.null) for number, answer in asked if answer.pairs == ()]
    only_wrong = replace(one, answers=tuple(answer for _, answer in asked if answer.pairs == ()))
    assert float(losses_of(model, head, only_wrong).cite) == pytest.approx(fmean(nulls), rel=1e-3)
    ids = [*one.prompt.ids, *one.answers[0].ids]
    logprobs = model(input_ids=torch.tensor([ids])).logits[0].float().log_softmax(-1)
    wanted = torch.tensor(one.answers[0].ids)
    before = logprobs[len(one.prompt.ids) - 1 : -1]
    written = before.gather(1, wanted[:, None]).mean()
    assert float(found.write) == pytest.approx(-float(written), rel=1e-3)


@torch.no_grad()
def test_spans_pointed_at_cost_what_serving_gives_them(opened, model, head):
    """Each answer is said to stand where serving points for it: the first at one span, the next at two, and so on."""
    record = answerable(opened, rows=3)
    one = example_of(opened, record, TOGETHER)
    pointed = [
        found.pointed.spans[: number + 1]
        for number, found in enumerate(served(model, head, record.question, one))
    ]
    standing = [tuple(one.prompt.tokens(passage, span) for passage, span, _ in spans) for spans in pointed]
    assert [len(pairs) for pairs in standing] == [1, 2, 3]
    answers = [replace(answer, pairs=pairs) for answer, pairs in zip(one.answers, standing, strict=True)]
    costs = [-log(sum(probability for *_, probability in spans)) for spans in pointed]
    found = losses_of(model, head, replace(one, answers=tuple(answers)))
    assert float(found.cite) == pytest.approx(fmean(costs), rel=1e-3)


def test_a_model_whose_layers_no_mask_keeps_apart_is_refused(model):
    require_packable(model)
    model.config.layer_types = ["full_attention", "conv", "linear_attention"]
    with pytest.raises(LoccitError, match="has layers of conv, linear_attention, but an adapter is trained"):
        require_packable(model)
