"""The retrofitted model holds what the paper says of it, in float32, with gates that are open."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional
from transformers import DynamicCache

from app.answering.retro.generation import RetroBatch, write
from app.answering.retro.model import RetroModel, RetroState, decoder_layers
from app.answering.retro.modules import _GATE_SPEED, ChunkedCrossAttention, Encoded, RetroModules
from app.answering.retro.own_attention import OwnAttention
from app.answering.retro.settings import RetroSettings, layers_of
from common.errors import ModelUnusableError
from retriever.chunk_database import NO_TOKEN
from tests.tiny_models import FAMILIES, HIDDEN, llama

VOCABULARY = 60
CHUNK, VALUE, K = 4, 8, 2
HEAD = 8  # wide
SETTINGS = RetroSettings(
    layers=(1, 2), hidden=HIDDEN, heads=4, head_width=HEAD, chunk=CHUNK, value=VALUE, rank=3
)
TOKENS = 15  # three whole chunks, and three tokens


def open_model(family=llama):
    torch.manual_seed(1)
    base = family(VOCABULARY).eval()
    modules = RetroModules(SETTINGS).eval()
    for attention in modules.attention:
        torch.nn.init.normal_(attention.gate, mean=0.016, std=0.004)
        torch.nn.init.normal_(attention.bias)
        for change in (attention.asked, attention.written):
            torch.nn.init.normal_(change.up.weight, std=0.3)
    return RetroModel(base, modules)


@pytest.fixture(params=FAMILIES, ids=lambda family: family.__name__)
def model(request):
    return open_model(request.param)


def some_ids(rows=2, tokens=TOKENS):
    return torch.randint(0, VOCABULARY, (rows, tokens), generator=torch.Generator().manual_seed(2))


def some_neighbours(rows=2, chunks=TOKENS // CHUNK):
    random = torch.Generator().manual_seed(3)
    found = torch.randint(0, VOCABULARY, (rows, chunks, K, VALUE), generator=random)
    found[:, :, 1, 5:] = NO_TOKEN  # its document ended there
    return found


def logits(model, ids, neighbours, mask=None):
    positions = None if mask is None else (mask.cumsum(-1) - 1).clamp(min=0)
    with torch.inference_mode():
        return model(
            input_ids=ids, neighbours=neighbours, attention_mask=mask, position_ids=positions, use_cache=False
        ).logits


def changed(before, after):
    """Which columns differ, by more than float32 rounds."""
    return ((before - after).abs().amax((0, 2)) > 1e-5).tolist()


@pytest.mark.parametrize("family", FAMILIES)
def test_without_retrieval_or_with_gates_of_zero_it_is_the_base_model_bit_for_bit(family):
    ids = some_ids()
    with torch.inference_mode():
        alone = family(VOCABULARY).eval()(input_ids=ids, use_cache=False).logits
    model = RetroModel(family(VOCABULARY).eval(), RetroModules(SETTINGS))

    assert torch.equal(logits(model, ids, None), alone)
    assert torch.equal(logits(model, ids, some_neighbours()), alone)


def test_open_gates_change_every_logit_from_the_first_chunks_last_token_on(model):
    ids = some_ids()
    difference = changed(logits(model, ids, None), logits(model, ids, some_neighbours()))

    assert difference == [False] * (CHUNK - 1) + [True] * (TOKENS - CHUNK + 1)


@pytest.mark.parametrize("at", range(TOKENS))
def test_a_token_changes_no_logit_before_it(model, at):
    ids, neighbours = some_ids(), some_neighbours()
    other = ids.clone()
    other[:, at] = (other[:, at] + 1) % VOCABULARY

    difference = changed(logits(model, ids, neighbours), logits(model, other, neighbours))

    assert not any(difference[:at])
    assert difference[at]


@pytest.mark.parametrize("at", range(3, TOKENS))
def test_nor_does_it_with_padding_on_the_left(model, at):
    ids, neighbours = some_ids(), some_neighbours()
    mask = torch.ones_like(ids)
    mask[0, :3], mask[1, :1] = 0, 0
    other = ids.clone()
    other[:, at] = (other[:, at] + 1) % VOCABULARY

    before, after = logits(model, ids, neighbours, mask), logits(model, other, neighbours, mask)

    assert not any(changed(before[:, 3:], after[:, 3:])[: at - 3])


@pytest.mark.parametrize("chunk", range(TOKENS // CHUNK))
def test_a_chunks_neighbours_change_no_logit_before_its_last_token_and_do_change_later_ones(model, chunk):
    ids, neighbours = some_ids(), some_neighbours()
    other = neighbours.clone()
    other[:, chunk] = (other[:, chunk] + 1) % VOCABULARY

    difference = changed(logits(model, ids, neighbours), logits(model, ids, other))
    last = (chunk + 1) * CHUNK - 1

    assert not any(difference[:last])
    assert all(difference[last : last + CHUNK])


def test_what_is_padding_is_not_seen(model):
    ids, neighbours = some_ids(), some_neighbours()
    mask = torch.ones_like(ids)
    mask[:, :3] = 0
    other = ids.clone()
    other[:, :3] = (other[:, :3] + 7) % VOCABULARY

    before, after = logits(model, ids, neighbours, mask), logits(model, other, neighbours, mask)

    assert not any(changed(before[:, 3:], after[:, 3:]))


@pytest.mark.parametrize("pads", [4, 5, 9])
def test_neighbours_of_a_chunk_of_padding_are_not_seen(model, pads):
    ids, neighbours = some_ids(), some_neighbours()
    mask = torch.ones_like(ids)
    mask[:, :pads] = 0
    other, others = ids.clone(), neighbours.clone()
    other[:, :pads] = (other[:, :pads] + 7) % VOCABULARY
    others[:, : pads // CHUNK] = (others[:, : pads // CHUNK].clamp(min=0) + 3) % VOCABULARY

    before, after = logits(model, ids, neighbours, mask), logits(model, other, others, mask)

    assert not any(changed(before[:, pads:], after[:, pads:]))


def test_columns_before_the_first_chunk_belong_to_none(model):
    ids, neighbours = some_ids(), some_neighbours()
    begun = torch.cat([torch.full((2, 1), 3), ids], dim=1)
    with torch.inference_mode():
        led = model(input_ids=begun, neighbours=neighbours, use_cache=False, lead=1).logits
        alone = model(input_ids=begun, use_cache=False).logits

    assert changed(led, alone) == [False] * CHUNK + [True] * (TOKENS - CHUNK + 1)


def test_two_retrofits_of_one_base_model_do_not_meet():
    model = open_model()
    before = logits(model, some_ids(), some_neighbours())
    torch.manual_seed(8)
    RetroModel(model.base, RetroModules(SETTINGS).eval())

    assert torch.equal(logits(model, some_ids(), some_neighbours()), before)


def test_the_order_of_the_neighbours_does_not_matter(model):
    ids, neighbours = some_ids(), some_neighbours()

    assert not any(changed(logits(model, ids, neighbours), logits(model, ids, neighbours.flip(2))))


def test_a_chunk_without_neighbours_is_as_if_nothing_were_retrieved_for_it(model):
    ids, neighbours = some_ids(), some_neighbours()
    neighbours[:, 0] = NO_TOKEN

    found = logits(model, ids, neighbours)

    assert torch.isfinite(found).all()
    assert not any(changed(found, logits(model, ids, None))[: 2 * CHUNK - 1])


@pytest.mark.parametrize("parts", [[15], [3, 5, 7], [1] * 15, [4, 4, 4, 3], [5, 3, 4, 3], [7, 1, 1, 6]])
def test_reading_in_parts_equals_one_pass(model, parts):
    ids, neighbours = some_ids(), some_neighbours()
    cache, state = DynamicCache(config=model.base.config), RetroState()
    at, chunk, found = 0, 0, []
    with torch.inference_mode():
        for tokens in parts:
            chunks = model.chunks(tokens, state)
            output = model(
                input_ids=ids[:, at : at + tokens],
                neighbours=neighbours[:, chunk : chunk + chunks],
                state=state,
                cache=cache,
                use_cache=True,
            )
            found.append(output.logits)
            at, chunk = at + tokens, chunk + chunks

    whole = logits(model, ids, neighbours)

    assert (torch.cat(found, dim=1) - whole).abs().max() < 1e-4


def test_the_vectorised_form_equals_a_loop_written_from_the_equation(model):
    attention = model.modules.attention[0]
    assert isinstance(attention, ChunkedCrossAttention)
    own_layer = decoder_layers(model.base)[1].self_attn
    own = OwnAttention(own_layer, model.base.base_model.rotary_emb)
    random = torch.Generator().manual_seed(4)
    states = torch.randn(1, TOKENS, HIDDEN, generator=random)
    keys, values = torch.randn(2, 1, TOKENS // CHUNK, 2, K * VALUE, HEAD, generator=random)
    there = torch.rand(1, TOKENS // CHUNK, K * VALUE, generator=random) > 0.2

    with torch.inference_mode():
        encoded = Encoded({0: (keys, values)}, there, VALUE)
        found = attention(states, own, encoded, past=0, first=0, layer=0)[0]
        for position in range(TOKENS):
            wanted = slow_cross_attention(
                attention, own_layer, model.base, states[0], keys[0], values[0], there[0], position
            )
            assert torch.allclose(found[position], wanted, atol=1e-5)


def slow_cross_attention(attention, own, base, states, keys, values, there, position):
    """CCA of one position, head by head and token by token."""
    if position < CHUNK - 1:
        return torch.zeros(HIDDEN)
    chunk, i = divmod(position - (CHUNK - 1), CHUNK)
    asked = own.q_proj.weight @ states[position]
    asked = asked + attention.asked.up.weight @ attention.asked.down.weight @ states[position]
    heads = []
    for head in range(4):
        query = asked[head * HEAD : (head + 1) * HEAD]
        if hasattr(own, "q_norm"):
            query = own.q_norm(query)
        query = turned(query, VALUE + i, base_of(base))
        scores, told = [], []
        for place in range(K * VALUE):
            if not there[chunk, place]:
                continue
            j = place % VALUE
            told.append(values[chunk, head // 2, place])
            scores.append(
                query @ keys[chunk, head // 2, place] * own.scaling + attention.bias[head, i - j + VALUE - 1]
            )
        weights = torch.stack(scores).softmax(0)
        found = sum(weight * value for weight, value in zip(weights, told, strict=True))
        heads.append(torch.tanh(_GATE_SPEED * attention.gate[head]) * found)
    found = torch.cat(heads)
    change = attention.written.up.weight @ attention.written.down.weight @ found
    return own.o_proj.weight @ found + change


def base_of(base):
    """What the rotary embedding of the second layer turns by; it is a full one in the toy Gemma."""
    parameters = base.config.rope_parameters
    return parameters.get("full_attention", parameters)["rope_theta"]


def turned(vector, position, theta):
    """Pairs of a vector, half its width apart, turned by the position."""
    half = len(vector) // 2
    found = vector.clone()
    for pair in range(half):
        angle = position / theta ** (pair / half)
        one, other = vector[pair], vector[pair + half]
        found[pair] = one * math.cos(angle) - other * math.sin(angle)
        found[pair + half] = other * math.cos(angle) + one * math.sin(angle)
    return found


def test_cross_attention_begins_as_the_models_own_attention(model):
    """With open gates and nothing learnt, it adds what self-attention would find in a neighbour before the text."""
    for attention in model.modules.attention:
        for change in (attention.asked, attention.written):
            torch.nn.init.zeros_(change.up.weight)
        torch.nn.init.zeros_(attention.bias)
        torch.nn.init.constant_(attention.gate, 10.0)
    neighbour = some_neighbours(rows=1, chunks=1)[:, :, :1]
    chunk = some_ids(rows=1, tokens=CHUNK)
    attention = decoder_layers(model.base)[1].self_attn
    states = {}
    handle = attention.register_forward_pre_hook(
        lambda _, __, named: states.update(states=named["hidden_states"].detach()), with_kwargs=True
    )
    with torch.inference_mode():
        model.base(input_ids=neighbour[0, 0], use_cache=False)
    before = states["states"]
    with torch.inference_mode():
        model.base(input_ids=chunk, use_cache=False)
    handle.remove()
    at = states["states"][:, -1:]
    positions = torch.arange(VALUE + 1)[None]
    kind = getattr(attention, "layer_type", None)
    turning = model.base.base_model.rotary_emb(at, positions, *([] if kind is None else [kind]))
    mask = torch.zeros(1, 1, VALUE + 1, VALUE + 1)
    mask[..., -1, -1] = float("-inf")  # it does not attend to itself
    mask[..., :-1, :] = torch.triu(torch.full((VALUE, VALUE + 1), float("-inf")), 1)
    with torch.inference_mode():
        wanted = attention(torch.cat([before, at], 1), turning, mask)[0][0, -1]
        encoded = model._read(neighbour, neighbour != NO_TOKEN)
        found = model.modules.attention[0](
            at,
            OwnAttention(attention, model.base.base_model.rotary_emb),
            encoded,
            past=CHUNK - 1,
            first=0,
            layer=0,
        )[0, 0]
    assert torch.allclose(found, wanted, atol=1e-5)


def test_gradients_reach_what_was_added_and_nothing_else(model):
    model.base.requires_grad_(requires_grad=False)
    ids = some_ids()
    output = model(input_ids=ids, neighbours=some_neighbours(), use_cache=False)
    functional.cross_entropy(output.logits.flatten(0, 1)[:-1], ids.flatten()[1:]).backward()

    assert all(weight.grad is None for weight in model.base.parameters())
    for name, weight in model.modules.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name


class Recorded:
    """Neighbours that say which chunk they are of, and a list of what was asked."""

    def __init__(self):
        self.asked = []

    def neighbours(self, chunks):
        self.asked.append(chunks.copy())
        found = np.full((*chunks.shape[:2], K, VALUE), NO_TOKEN)
        found[..., :CHUNK] = np.maximum(chunks, 0)[:, :, None]
        return found


def test_writing_asks_for_neighbours_once_for_every_chunk_finished(model):
    source = Recorded()
    prompts = [[5, 6, 7, 8, 9], [11, 12]]

    written = [one.ids for one in write(model, prompts, source, max_tokens=10)]

    # the prompts, padded to two chunks, are asked for at once; then one chunk at a time
    assert [chunks.shape for chunks in source.asked] == [(2, 2, CHUNK), (2, 1, CHUNK), (2, 1, CHUNK)]
    assert source.asked[0][0].tolist() == [[NO_TOKEN] * 3 + [5], [6, 7, 8, 9]]
    assert source.asked[0][1].tolist() == [[NO_TOKEN] * 4, [NO_TOKEN, NO_TOKEN, 11, 12]]
    assert source.asked[1][:, 0].tolist() == [row[:4] for row in written]
    assert source.asked[2][:, 0].tolist() == [row[4:8] for row in written]


def test_what_is_written_is_what_full_passes_would_write(model):
    prompt = [5, 6, 7, 8, 9]
    source = Recorded()
    [(written, ended)] = write(model, [prompt], source, max_tokens=7)
    assert not ended
    padded = [0] * 3 + prompt
    mask = [0] * 3 + [1] * len(prompt)
    for number, token in enumerate(written):
        ids = torch.tensor([padded + written[:number]])
        there = torch.tensor([mask + [1] * number])
        finished = np.where(there.numpy() == 0, NO_TOKEN, ids.numpy())
        whole = ids.shape[1] // CHUNK * CHUNK
        neighbours = source.neighbours(finished[:, :whole].reshape(1, -1, CHUNK))
        assert int(logits(model, ids, torch.from_numpy(neighbours), there)[0, -1].argmax()) == token


def test_a_row_is_written_as_it_is_alone(model):
    prompts = [[5, 6, 7, 8, 9], [11, 12], [11, 12, 13, 14, 15, 16, 17, 18, 19, 20]]

    together = write(model, prompts, Recorded(), max_tokens=6)

    assert together == [write(model, [prompt], Recorded(), max_tokens=6)[0] for prompt in prompts]


def test_writing_stops_at_an_end_token():
    model = open_model()
    [(whole, _)] = write(model, [[5, 6, 7]], Recorded(), max_tokens=6)
    end = whole[2]

    [found] = write(model, [[5, 6, 7]], Recorded(), max_tokens=6, end=frozenset({end}))
    assert found == (whole[: whole.index(end)], True)


def test_bfloat16_stays_near():
    model = open_model()
    exact = logits(model, some_ids(), some_neighbours())
    model.base.to(torch.bfloat16)
    model.modules.to(torch.bfloat16)
    near = logits(model, some_ids(), some_neighbours()).float()

    assert torch.isfinite(near).all()
    assert functional.cosine_similarity(near, exact, dim=-1).min() > 0.99


def test_neighbours_of_the_last_chunks_alone_leave_those_before_without(model):
    ids, neighbours = some_ids(), some_neighbours()
    few = logits(model, ids, neighbours[:, 1:])
    neighbours[:, 0] = NO_TOKEN

    assert not any(changed(few, logits(model, ids, neighbours)))
    assert not any(changed(logits(model, ids, neighbours[:, :0]), logits(model, ids, None)))


def test_neighbours_of_too_many_chunks_are_refused(model):
    with pytest.raises(ValueError, match="finish 3 chunks, but neighbours of 4 were given"):
        logits(model, some_ids(), some_neighbours(chunks=4))


def test_neighbours_of_too_few_chunks_are_refused_once_a_text_has_begun(model):
    state, cache = RetroState(), DynamicCache(config=model.base.config)
    given = {"state": state, "cache": cache, "use_cache": True}
    with torch.inference_mode():
        model(input_ids=some_ids(tokens=4), neighbours=some_neighbours(chunks=1), **given)
        with pytest.raises(ValueError, match="finish 2 chunks, but neighbours of 1 were given"):
            model(input_ids=some_ids(tokens=8), neighbours=some_neighbours(chunks=1), **given)


def test_a_prompt_without_tokens_is_refused(model):
    with pytest.raises(ValueError, match="at least one token"):
        RetroBatch(model, [[5], []], None)


def test_a_model_with_too_few_layers_is_refused():
    settings = replace(SETTINGS, layers=(1, 7))
    with pytest.raises(ModelUnusableError, match="no layer 8"):
        RetroModel(llama(VOCABULARY), RetroModules(settings))


def test_the_layers_are_those_from_the_middle_to_five_sixths():
    assert list(layers_of(30)) == list(range(15, 25))
    assert list(layers_of(18)) == list(range(9, 15))
    assert [layers_of(layers) for layers in (1, 2, 3)] == [(0,), (1,), (1,)]
