import math
import threading
import time

import pytest
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import (
    AutoModelForCausalLM,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from app.answering.language_models.few_rows_linear import FEW, FewRowsLinear, use_few_rows
from app.answering.language_models.transformers_lm import TransformersLM
from common.deadline import Deadline
from common.errors import InvalidRequestError, ModelUnusableError
from common.hub import weights_sha256
from common.packaged import GEMMA, SMOLLM2, default_cache_dir
from tests.real_models import load_language_model

WINDOW = 16
SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny models are quickest on one thread, above all beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def byte_tokenizer(*, bos: bool) -> PreTrainedTokenizerFast:
    """Every byte is a token; so are "\\n\\n" and "!\\n", in which a line end hides."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    line_end = "Ċ"
    tokens = ["<pad>", "<bos>", "<eos>", *alphabet, line_end * 2, "!" + line_end]
    merges = [(line_end, line_end), ("!", line_end)]
    backend = Tokenizer(BPE(vocab={token: id_ for id_, token in enumerate(tokens)}, merges=merges))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    roles = {"pad_token": "<pad>", "bos_token": "<bos>", "eos_token": "<eos>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, **roles)
    if bos:
        from tokenizers.processors import TemplateProcessing

        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single="<bos> $A", special_tokens=[("<bos>", 1)]
        )
    return tokenizer


def gemma3():
    types = ["sliding_attention", "full_attention", "sliding_attention"]
    return Gemma3ForCausalLM(
        Gemma3TextConfig(
            **SIZES,
            vocab_size=261,
            head_dim=8,
            query_pre_attn_scalar=8,
            sliding_window=WINDOW,
            layer_types=types,
        )
    )


def llama():
    return LlamaForCausalLM(LlamaConfig(**SIZES, vocab_size=261, tie_word_embeddings=True))


FAMILIES = {"gemma3": gemma3, "llama": llama}


@pytest.fixture(scope="module", params=FAMILIES)
def family(request):
    return request.param


def tiny(family: str, *, bos: bool = True) -> TransformersLM:
    torch.manual_seed(7)
    model = FAMILIES[family]()
    for name, weight in model.named_parameters():  # far from zero, so that every position matters
        if "norm" not in name:
            torch.nn.init.normal_(weight, std=0.3)
    model.generation_config.eos_token_id = 2
    return TransformersLM(model, byte_tokenizer(bos=bos), name=family, sha256="0" * 64)


@pytest.fixture(scope="module")
def lm(family):
    return tiny(family)


def plainly(lm: TransformersLM, prefix: str, prompt: str, count: int) -> list[int]:
    """What the library's own generate writes: one row, no padding, no kept prefix."""
    ids = torch.tensor([[*lm._begin, *lm._ids(prefix), *lm._ids(prompt)]])
    out = lm._model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, do_sample=False, pad_token_id=0
    )
    return out[0, ids.shape[1] :].tolist()


def as_text(lm: TransformersLM, ids: list[int]) -> str:
    return lm._tokenizer.decode(ids, skip_special_tokens=True).rstrip("\ufffd")


PREFIX = (
    "a shared beginning that is a good deal longer than the window: one two three four five six seven.\n\n"
)
PROMPTS = ["Q: x", "Question: rather longer, so that the others are padded a lot?", "Q: middling, yes"]


@pytest.mark.parametrize("prefix", [PREFIX, "short\n", ""], ids=["beyond-the-window", "short", "none"])
def test_a_batch_after_a_kept_prefix_writes_what_plain_generation_writes(lm, prefix):
    for _ in range(2):  # the second time from the kept prefix
        written = lm.complete(prefix, PROMPTS, max_tokens=24, stop="")
        for prompt, completion in zip(PROMPTS, written, strict=True):
            assert completion.text == as_text(lm, plainly(lm, prefix, prompt, 24))


def test_an_answer_does_not_depend_on_the_rows_beside_it(lm):
    together = lm.complete(PREFIX, PROMPTS, max_tokens=12, stop="")
    alone = [lm.complete(PREFIX, [prompt], max_tokens=12, stop="")[0] for prompt in PROMPTS]
    assert [each.text for each in together] == [each.text for each in alone]
    assert [each.logprob for each in together] == pytest.approx([each.logprob for each in alone], abs=1e-3)


def test_a_prompt_may_be_empty(lm):
    assert lm.complete(PREFIX, [""], max_tokens=8, stop="")[0].text == as_text(lm, plainly(lm, PREFIX, "", 8))


def test_no_prompts_give_no_completions(lm):
    assert lm.complete(PREFIX, [], max_tokens=8) == []


def test_logprob_is_that_of_the_written_tokens_under_the_model(lm):
    completion = lm.complete(PREFIX, PROMPTS, max_tokens=10, stop="")[2]
    ids = plainly(lm, PREFIX, PROMPTS[2], 10)
    start = [*lm._begin, *lm._ids(PREFIX), *lm._ids(PROMPTS[2])]
    with torch.inference_mode():
        logprobs = lm._model(torch.tensor([start + ids])).logits[0].log_softmax(-1)
    expected = sum(float(logprobs[len(start) - 1 + place, id_]) for place, id_ in enumerate(ids))
    assert completion.logprob == pytest.approx(expected, abs=1e-3)
    assert completion.tokens == len(ids)


class Dictated(torch.nn.Module):
    """Writes given texts whatever it reads, through the same cache as a real model."""

    def __init__(self, lm: TransformersLM, *texts: str, then: str = "") -> None:
        super().__init__()
        self.config, self.generation_config = lm._model.config, lm._model.generation_config
        ids = lm._tokenizer.get_vocab()
        self.rows = [[*lm._ids(text), *([ids[then]] if then else [])] for text in texts]
        self.at = 0

    def forward(self, input_ids, cache, **_):
        states = torch.zeros(*input_ids.shape, 1)[:, None]
        cache.update(states, states, 0)
        logits = torch.zeros(len(input_ids), 1, 261)
        if "attention_mask" in _:  # the prefix alone asks for nothing
            for row, logit in zip(self.rows, logits, strict=True):
                logit[0, row[min(self.at, len(row) - 1)]] = 50.0
            self.at += 1
        return type("Output", (), {"logits": logits})


def dictated(*texts: str, then: str = "") -> TransformersLM:
    lm = tiny("llama")
    lm._model = Dictated(lm, *texts, then=then)
    return lm


@pytest.mark.parametrize(
    ("written", "kept"), [("Paris\n", "Paris"), ("Paris!\n", "Paris!"), ("Paris\n\n", "Paris")]
)
def test_the_stop_string_ends_a_text_even_inside_a_merged_token(written, kept):
    [completion] = dictated(written).complete("p\n", ["q"], max_tokens=20)
    assert (completion.text, completion.finished) == (kept, True)
    assert completion.tokens == len(tiny("llama")._ids(written))


def test_a_stop_string_of_several_tokens_is_found_across_them():
    [completion] = dictated("one STOP two").complete("p\n", ["q"], max_tokens=20, stop="STOP")
    assert (completion.text, completion.finished) == ("one ", True)


def test_the_end_token_ends_a_text_and_counts():
    [completion] = dictated("Rome", then="<eos>").complete("p\n", ["q"], max_tokens=20)
    assert (completion.text, completion.finished, completion.tokens) == ("Rome", True, 5)


def test_the_token_limit_leaves_a_text_unfinished():
    [completion] = dictated("Constantinople").complete("p\n", ["q"], max_tokens=5)
    assert (completion.text, completion.finished, completion.tokens) == ("Const", False, 5)


def test_a_character_cut_in_half_by_the_token_limit_is_left_out():
    [completion] = dictated("Zoë\n").complete("p\n", ["q"], max_tokens=3)
    assert completion.text == "Zo"


def test_a_finished_row_stays_as_it_is_while_others_go_on():
    done, going_on = dictated("no\nmore", "a long answer\n").complete("p\n", ["q", "r"], max_tokens=30)
    assert (done.text, done.tokens) == ("no", 3)
    assert (going_on.text, going_on.finished) == ("a long answer", True)
    assert done.logprob == pytest.approx(0, abs=1e-6)


def test_a_deadline_that_has_passed_gives_empty_unfinished_texts(lm):
    late = lm.complete(PREFIX, PROMPTS, max_tokens=8, deadline=Deadline.after(-1))
    assert [(each.text, each.tokens, each.finished) for each in late] == [("", 0, False)] * 3


def test_a_deadline_in_the_middle_keeps_what_is_written_so_far(monkeypatch):
    lm = dictated("abcdefgh\n")
    clock = iter(range(100))
    monkeypatch.setattr("common.deadline.time.monotonic", lambda: float(next(clock)))
    [completion] = lm.complete("p\n", ["q"], max_tokens=20, deadline=Deadline(4.0))
    assert completion.text == "abcdefgh"[: completion.tokens]
    assert 0 < completion.tokens < 8
    assert not completion.finished


def test_a_call_that_waits_its_turn_until_the_deadline_gives_up(lm):
    with lm._turn:
        began = time.monotonic()
        [completion] = lm.complete(PREFIX, ["q"], max_tokens=8, deadline=Deadline(began + 0.05))
    assert (completion.text, completion.finished) == ("", False)
    assert time.monotonic() - began < 20


def test_the_same_call_gives_the_same_bytes(lm):
    greedy = [lm.complete(PREFIX, PROMPTS, max_tokens=12, stop="") for _ in range(2)]
    sampled = [
        lm.complete(PREFIX, PROMPTS, max_tokens=12, stop="", temperature=1.0, seed=3) for _ in range(2)
    ]
    assert greedy[0] == greedy[1]
    assert sampled[0] == sampled[1]


def test_a_loaded_copy_writes_the_same(lm, family):
    assert tiny(family).complete(PREFIX, PROMPTS, max_tokens=12) == lm.complete(
        PREFIX, PROMPTS, max_tokens=12
    )


def test_seeds_and_rows_draw_apart(lm):
    draws = {
        completion.text
        for seed in range(3)
        for completion in lm.complete(PREFIX, ["Q"] * 3, max_tokens=12, stop="", temperature=1.5, seed=seed)
    }
    assert len(draws) == 9


def test_a_rows_draws_do_not_depend_on_the_rows_beside_it(lm):
    sampling = {"max_tokens": 12, "stop": "", "temperature": 1.0, "seed": 5}
    assert (
        lm.complete(PREFIX, PROMPTS, **sampling)[0].text
        == lm.complete(PREFIX, PROMPTS[:1], **sampling)[0].text
    )


def test_the_generators_of_others_are_left_alone(lm):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    lm.complete(PREFIX, PROMPTS, max_tokens=4, temperature=1.0)
    assert torch.equal(before, torch.get_rng_state())


def test_the_prefix_is_read_once(lm, monkeypatch):
    lm.complete("kept prefix\n", ["Q"], max_tokens=1)
    widths = []
    forward = lm._model.forward
    monkeypatch.setattr(
        lm._model,
        "forward",
        lambda **given: (widths.append(given["input_ids"].shape[1]), forward(**given))[1],
    )
    lm.complete("kept prefix\n", ["QQQ"], max_tokens=2, stop="")
    assert widths == [3, 1]


def test_only_a_few_prefixes_are_kept(lm):
    for number in range(9):
        lm.complete(f"prefix {number}\n", ["Q"], max_tokens=1)
    assert len(lm._prefixes) == 4
    assert "prefix 8\n" in lm._prefixes


def test_threads_take_turns_and_get_their_own_answers(lm):
    expected = [lm.complete(PREFIX, [prompt], max_tokens=6, stop="") for prompt in PROMPTS]
    found = [None] * len(PROMPTS)

    def ask(place):
        found[place] = lm.complete(PREFIX, [PROMPTS[place]], max_tokens=6, stop="")

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(PROMPTS))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


def test_control_tokens_spelt_out_in_a_text_are_plain_text(lm):
    ids = lm._ids("a<eos>b")
    assert 2 not in ids
    assert lm._tokenizer.decode(ids) == "a<eos>b"


def test_a_prompt_beyond_the_context_is_refused_with_its_length(lm):
    with pytest.raises(InvalidRequestError, match="at most 512"):
        lm.complete(PREFIX, ["x" * 500], max_tokens=4)


@pytest.mark.parametrize("count", [0, 1, 3, 5, 99])
def test_head_is_a_beginning_of_at_most_that_many_tokens(lm, count):
    text = "naïve\n\n🙂!\nx"
    head = lm.head(text, max_tokens=count)
    assert text.startswith(head)
    assert len(lm._ids(head)) <= count
    assert "\ufffd" not in head
    whole = len(lm._ids(text))
    assert lm.head(text, max_tokens=whole) == text
    assert lm.head(text, max_tokens=whole - 1) == text[:-1]


def test_few_rows_are_multiplied_to_the_same_result():
    torch.manual_seed(0)
    plain = torch.nn.Linear(24, 10).bfloat16()
    quick = torch.nn.Sequential(torch.nn.Linear(24, 10).bfloat16())
    quick[0].load_state_dict(plain.state_dict())
    use_few_rows(quick)
    assert type(quick[0]) is FewRowsLinear
    with torch.inference_mode():
        for shape in ((1, 1, 24), (3, 1, 24), (2, FEW, 24), (24,)):
            rows = torch.randn(shape).bfloat16()
            torch.testing.assert_close(quick(rows), plain(rows), rtol=0.02, atol=0.02)


def test_float32_layers_stay_as_they_are():
    model = torch.nn.Sequential(torch.nn.Linear(4, 4))
    use_few_rows(model)
    assert type(model[0]) is torch.nn.Linear


@pytest.fixture
def folder(tmp_path):
    lm = tiny("llama")
    lm._model.save_pretrained(tmp_path / "model")
    lm._tokenizer.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


def test_a_local_folder_loads_with_the_digest_of_all_that_decides_its_output(folder, tmp_path):
    lm = load_language_model(str(folder), cache_dir=tmp_path, dtype="float32")
    assert (lm.name, lm.identity) == (str(folder), weights_sha256(folder))
    assert lm.complete(PREFIX, PROMPTS, max_tokens=12) == tiny("llama").complete(
        PREFIX, PROMPTS, max_tokens=12
    )


def test_loading_shows_no_progress_bar(folder, tmp_path, capsys):
    load_language_model(str(folder), cache_dir=tmp_path)
    assert capsys.readouterr() == ("", "")


def test_a_folder_with_pickled_weights_only_is_refused(folder, tmp_path):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelUnusableError, match=r"no \.safetensors file"):
        load_language_model(str(folder), cache_dir=tmp_path)


def test_a_folder_without_a_config_is_refused_with_its_name(folder, tmp_path):
    (folder / "config.json").unlink()
    with pytest.raises(ModelUnusableError, match="cannot be loaded"):
        load_language_model(str(folder), cache_dir=tmp_path)


@pytest.mark.parametrize("name", ["no-such/model-anywhere", "neither a folder nor a name"])
def test_offline_an_unknown_name_is_refused_without_the_network(name, tmp_path):
    with pytest.raises(ModelUnusableError, match="smollm2-135m, gemma-3-270m"):
        load_language_model(name, cache_dir=tmp_path)


def test_an_unknown_dtype_is_refused(folder, tmp_path):
    with pytest.raises(ModelUnusableError, match="'int3'"):
        load_language_model(str(folder), cache_dir=tmp_path, dtype="int3")


@pytest.mark.models
@pytest.mark.parametrize(("name", "packaged"), [("gemma-3-270m", GEMMA), ("smollm2-135m", SMOLLM2)])
def test_a_packaged_model_batched_in_float32_writes_what_plain_generation_writes(name, packaged):
    lm = load_language_model(name, cache_dir=default_cache_dir(), dtype="float32")
    prefix = "The lighthouse keeper counted the ships that passed. " * 60 + "\n\n"
    prompts = [
        "Colours of the rainbow: red, orange,",
        "The days of the week are Monday, Tuesday, Wednesday and then",
    ]
    written = lm.complete(prefix, prompts, max_tokens=8, stop="")
    assert lm.identity == packaged.sha256
    assert len(lm._ids(prefix)) > 512  # beyond Gemma's sliding window
    for prompt, completion in zip(prompts, written, strict=True):
        assert completion.text == as_text(lm, plainly(lm, prefix, prompt, 8))
        assert math.exp(completion.logprob / completion.tokens) > 0.05
    assert isinstance(lm._model, type(AutoModelForCausalLM.from_config(lm._model.config)))


@pytest.mark.parametrize("at_once", [1, 7, 40])
def test_a_prompt_read_in_pieces_is_answered_alike(lm, monkeypatch, at_once):
    whole = lm.complete(PREFIX, PROMPTS, max_tokens=6, stop="")
    monkeypatch.setattr("app.answering.language_models.transformers_lm.TOKENS_AT_ONCE", at_once)
    pieces = lm.complete(PREFIX, PROMPTS, max_tokens=6, stop="")
    assert [one.text for one in pieces] == [one.text for one in whole]
    assert [one.logprob for one in pieces] == pytest.approx([one.logprob for one in whole], abs=1e-3)


def test_reading_a_prompt_stops_at_the_deadline(lm, monkeypatch):
    monkeypatch.setattr("app.answering.language_models.transformers_lm.TOKENS_AT_ONCE", 1)
    lm.complete(PREFIX, ["q"], max_tokens=1)
    clock = iter(range(100))
    monkeypatch.setattr("common.deadline.time.monotonic", lambda: float(next(clock)))
    [late] = lm.complete(PREFIX, ["q" * 60], max_tokens=8, deadline=Deadline(9.0))
    assert (late.text, late.tokens, late.finished) == ("", 0, False)
    assert next(clock) < 20
