import json
import logging
from concurrent.futures import ThreadPoolExecutor

import gguf
import numpy as np
import pytest
import torch
from tokenizers import pre_tokenizers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
)

from app.answering.language_models.gguf_conversion import SUMS, cached_folder, converted, is_whole
from app.answering.language_models.gguf_file import GGUFFile
from app.answering.language_models.gguf_tokenizer import tokenizer_from
from common.errors import ModelUnusableError
from common.packaged import GEMMA, SMOLLM2, default_cache_dir, sha256_of
from tests.real_models import load_language_model

NORMAL, CONTROL, USER_DEFINED = 1, 3, 4
TEXTS = [
    "Hello  world\n\nfoo 123",
    "a\n\n\nb   c    d",
    "naïve café 12.5% “quotes” — 漢字 🙂",
    "x = [1,2]\n\tif y:\r\n  z",
    " leading and trailing ",
    "e\u0301 is é, and 1980's",
]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Tiny models are quickest on one thread, above all beside other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def llama_tokens():
    """A byte-level vocabulary with its merges."""
    merges = ["Ġ t", "h e", "Ġt he", "1 2"]
    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokens += [merge.replace(" ", "") for merge in merges]
    return tokens, [CONTROL] * 3 + [NORMAL] * (len(tokens) - 3), merges


def gemma_tokens():
    """A SentencePiece vocabulary: spaces as "▁" except in runs, bytes as "<0x..>", tags matched whole."""
    letters = [chr(code) for code in range(33, 127)] + ["\n", "▁"]
    tokens = ["<pad>", "<eos>", "<bos>", "<unk>", "\n\n", "  ", "<table>"]
    kinds = [CONTROL] * 4 + [USER_DEFINED] * 3
    tokens += [*(f"<0x{byte:02X}>" for byte in range(256)), *letters, "th", "the", "▁the"]
    return tokens, kinds + [6] * 256 + [NORMAL] * (len(tokens) - len(kinds) - 256), None


SIZES = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 7,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "rms_norm_eps": 1e-5,
}


def gemma3_model(vocabulary: int):
    rope = {
        "full_attention": {"rope_type": "default", "rope_theta": 5e5},
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
    }
    types = ["sliding_attention"] * 5 + ["full_attention", "sliding_attention"]
    head = {"head_dim": 32, "query_pre_attn_scalar": 32}
    return Gemma3ForCausalLM(
        Gemma3TextConfig(
            **SIZES, **head, vocab_size=vocabulary, sliding_window=8, layer_types=types, rope_parameters=rope
        )
    )


def llama_model(vocabulary: int):
    rope = {"rope_type": "default", "rope_theta": 5e5}
    return LlamaForCausalLM(
        LlamaConfig(**SIZES, vocab_size=vocabulary, rope_parameters=rope, tie_word_embeddings=True)
    )


FAMILIES = {
    # vocabulary, model, tokenizer's model and pre-tokenizer, roles by id
    "gemma3": (gemma_tokens, gemma3_model, "llama", "default", {"bos": 2, "eos": 1, "unk": 3, "pad": 0}),
    "llama": (llama_tokens, llama_model, "gpt2", "smollm", {"bos": 1, "eos": 2, "unk": 0, "pad": 2}),
}
NAMES = {  # as llama.cpp names them
    "embed_tokens": "token_embd",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "norm": "output_norm",
}
NORMS = {
    "gemma3": {
        "post_attention_layernorm": "post_attention_norm",
        "pre_feedforward_layernorm": "ffn_norm",
        "post_feedforward_layernorm": "post_ffw_norm",
    },
    "llama": {"post_attention_layernorm": "ffn_norm"},
}


def stored(family, name, values):
    """A weight as llama.cpp's converter stores it."""
    if family == "gemma3":
        return values + 1 if "norm" in name else values
    heads = {"q_proj": 4, "k_proj": 2}.get(name.split(".")[-2])
    if heads is None:
        return values
    halves = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
    return halves.swapaxes(1, 2).reshape(values.shape)


def write_gguf(family, path, *, quantized=False, extra=()):
    """A tiny random model of the family as a GGUF file, and the model itself."""
    vocabulary, build, tokenizer_model, pre, roles = FAMILIES[family]
    tokens, kinds, merges = vocabulary()
    torch.manual_seed(3)
    model = build(len(tokens)).eval()
    for name, weight in model.named_parameters():
        torch.nn.init.normal_(weight, std=0.1 if "norm" in name else 0.3)
        if family == "llama" and "norm" in name:
            weight.data += 1
        weight.data = weight.data.bfloat16().float()  # so that nothing is lost in converting
    writer = gguf.GGUFWriter(str(path), family)
    writer.add_block_count(SIZES["num_hidden_layers"])
    writer.add_context_length(SIZES["max_position_embeddings"])
    writer.add_embedding_length(SIZES["hidden_size"])
    writer.add_feed_forward_length(SIZES["intermediate_size"])
    writer.add_head_count(SIZES["num_attention_heads"])
    writer.add_head_count_kv(SIZES["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(SIZES["rms_norm_eps"])
    writer.add_rope_freq_base(5e5)
    if family == "gemma3":
        writer.add_key_length(32)
        writer.add_sliding_window(8)
    writer.add_tokenizer_model(tokenizer_model)
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    if merges:
        writer.add_token_merges(merges)
    writer.add_bos_token_id(roles["bos"])
    writer.add_eos_token_id(roles["eos"])
    writer.add_unk_token_id(roles["unk"])
    writer.add_pad_token_id(roles["pad"])
    writer.add_add_bos_token(family == "gemma3")
    for add in extra:
        add(writer)
    names = NAMES | NORMS[family]
    for name, weight in model.state_dict().items():
        if name == "lm_head.weight":
            continue
        *layer, rest = (
            name.removeprefix("model.").removesuffix(".weight").split(".", 2) if "layers" in name else [name]
        )
        part = rest if layer else rest.removeprefix("model.").removesuffix(".weight")
        values = np.ascontiguousarray(stored(family, name, weight.float().numpy()))
        place = f"blk.{layer[1]}." if layer else ""
        if quantized and values.ndim == 2:
            kind = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(f"{place}{names[part]}.weight", gguf.quantize(values, kind), raw_dtype=kind)
        else:
            writer.add_tensor(f"{place}{names[part]}.weight", values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model


@pytest.fixture(params=FAMILIES)
def family(request):
    return request.param


@pytest.fixture
def file(tmp_path):
    """A tiny Llama GGUF file."""
    write_gguf("llama", tmp_path / "tiny.gguf")
    return tmp_path / "tiny.gguf"


def test_a_converted_model_computes_what_the_original_computes(family, tmp_path):
    path = tmp_path / "tiny.gguf"
    original = write_gguf(family, path)
    folder = converted([path], sha256_of(path), tmp_path / "cache")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = torch.arange(5, 35)[None]
    with torch.inference_mode():
        expected, found = original(ids).logits.log_softmax(-1), model(ids).logits.log_softmax(-1)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)
    assert "quantization_config" not in json.loads((folder / "config.json").read_text())


@pytest.mark.parametrize("text", TEXTS)
def test_a_rebuilt_tokenizer_gives_the_text_back(family, tmp_path, text):
    write_gguf(family, tmp_path / "tiny.gguf")
    tokenizer = tokenizer_from(GGUFFile(tmp_path / "tiny.gguf").metadata)
    assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True) == text


def test_byte_level_merges_apply_and_digits_stand_alone(file):
    tokenizer = tokenizer_from(GGUFFile(file).metadata)
    assert tokenizer.tokenize("in the 1212") == ["i", "n", "Ġthe", "Ġ", "1", "2", "1", "2"]


def test_sentencepiece_merges_come_from_the_vocabulary_and_whole_tokens_stay_whole(tmp_path):
    write_gguf("gemma3", tmp_path / "tiny.gguf")
    tokenizer = tokenizer_from(GGUFFile(tmp_path / "tiny.gguf").metadata)
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("a the  b\n\n<table>é")["input_ids"])
    assert tokens == ["<bos>", "a", "▁the", "▁▁", "b", "\n\n", "<table>", "<0xC3>", "<0xA9>"]


def test_a_gguf_file_is_a_language_model(file, tmp_path):
    lm = load_language_model(str(file), cache_dir=tmp_path / "cache", dtype="float32")
    assert lm.identity == sha256_of(file)
    assert lm.complete("the ", ["the", "12"], max_tokens=3, stop="")[1].tokens == 3


def test_parts_convert_to_what_the_whole_converts_to(file, tmp_path):
    whole = file.read_bytes()
    parts = [tmp_path / name for name in ("part0", "part1", "part2")]
    for part, piece in zip(parts, (whole[:100], whole[100:5000], whole[5000:]), strict=True):
        part.write_bytes(piece)
    sha256 = sha256_of(file)
    from_parts, from_whole = (
        converted(given, sha256, tmp_path / str(len(given))) for given in (parts, [file])
    )
    assert (from_parts / SUMS).read_bytes() == (from_whole / SUMS).read_bytes()
    assert not list(from_parts.rglob("*.gguf"))


def test_the_second_time_nothing_is_converted(file, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    sha256 = sha256_of(file)
    first = converted([file], sha256, tmp_path / "cache")
    file.unlink()
    assert converted([file], sha256, tmp_path / "cache") == first
    assert len(caplog.records) == 1


def test_a_read_only_cache_serves(file, tmp_path, monkeypatch):
    sha256 = sha256_of(file)
    folder = converted([file], sha256, tmp_path / "cache")

    def refuse(*_):
        raise PermissionError("read-only")

    monkeypatch.setattr("app.answering.language_models.gguf_conversion.FileLock", refuse)
    assert converted([file], sha256, tmp_path / "cache") == folder


def test_others_may_read_the_cache(file, tmp_path):
    folder = converted([file], sha256_of(file), tmp_path / "cache")
    assert folder.stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o644}


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json", SUMS])
def test_a_damaged_conversion_is_noticed_and_made_again(file, tmp_path, name, caplog):
    sha256 = sha256_of(file)
    folder = converted([file], sha256, tmp_path / "cache")
    sound = (folder / name).read_bytes()
    (folder / name).write_bytes(sound[:-9])
    assert not is_whole(folder)
    assert converted([file], sha256, tmp_path / "cache") == folder
    assert (folder / name).read_bytes() == sound
    assert "damaged" in caplog.text


def test_another_sha256_is_refused_and_leaves_nothing_behind(file, tmp_path):
    for parts in ([file], [file, file]):
        with pytest.raises(ModelUnusableError, match="0000 is expected"):
            converted(parts, "0" * 64, tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache" / "models").iterdir() if path.is_dir()]


def test_an_interrupted_conversion_leaves_nothing_behind(file, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("app.answering.language_models.gguf_conversion.save_file", interrupt)
    with pytest.raises(KeyboardInterrupt):
        converted([file], sha256_of(file), tmp_path / "cache")
    assert not [path for path in (tmp_path / "cache" / "models").iterdir() if path.is_dir()]


def test_several_that_convert_at_once_all_end_well(file, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    sha256 = sha256_of(file)
    with ThreadPoolExecutor(4) as pool:
        folders = set(pool.map(lambda _: converted([file], sha256, tmp_path / "cache"), range(4)))
    assert folders == {cached_folder(sha256, tmp_path / "cache")}
    assert is_whole(cached_folder(sha256, tmp_path / "cache"))
    assert len(caplog.records) == 1  # one converted, the others waited


def test_an_unknown_family_is_refused_with_the_known_ones(file, tmp_path):
    other = tmp_path / "other.gguf"
    other.write_bytes(file.read_bytes().replace(b"llama", b"mamba"))
    with pytest.raises(ModelUnusableError, match=r"'mamba'.*gemma3, llama"):
        converted([other], sha256_of(other), tmp_path / "cache")


def test_an_unknown_tokenizer_is_refused_by_name(file):
    metadata = GGUFFile(file).metadata | {"tokenizer.ggml.pre": "klingon"}
    with pytest.raises(ModelUnusableError, match="klingon"):
        tokenizer_from(metadata)


def test_scaled_positions_are_refused(tmp_path):
    path = tmp_path / "scaled.gguf"
    write_gguf(
        "llama", path, extra=[lambda writer: writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)]
    )
    with pytest.raises(ModelUnusableError, match="rotary"):
        converted([path], sha256_of(path), tmp_path / "cache")


@pytest.mark.parametrize("content", [b"", b"GG", b"PK\x03\x04 and more", b"GGUF", b"GGUF\x03\0\0\0\x01"])
def test_a_file_that_is_no_gguf_is_refused_with_its_name(tmp_path, content):
    path = tmp_path / "wrong.gguf"
    path.write_bytes(content)
    with pytest.raises(ModelUnusableError, match=r"wrong\.gguf"):
        GGUFFile(path)


@pytest.mark.parametrize("quantized", [False, True])
def test_the_reader_agrees_with_the_gguf_packages_own(tmp_path, quantized):
    write_gguf("llama", tmp_path / "tiny.gguf", quantized=quantized)
    ours, theirs = GGUFFile(tmp_path / "tiny.gguf"), gguf.GGUFReader(tmp_path / "tiny.gguf")
    assert ours.metadata == {
        name: field.contents() for name, field in theirs.fields.items() if not name.startswith("GGUF.")
    }
    for (name, values), tensor in zip(ours.tensors(), theirs.tensors, strict=True):
        assert name == tensor.name
        np.testing.assert_array_equal(values, gguf.dequantize(tensor.data, tensor.tensor_type))


@pytest.mark.models
@pytest.mark.parametrize("packaged", [GEMMA, SMOLLM2], ids=lambda each: each.name)
def test_the_packaged_tokenizers_give_every_text_back(packaged):
    folder = converted(packaged.paths(), packaged.sha256, default_cache_dir())
    tokenizer = AutoTokenizer.from_pretrained(folder)
    for text in TEXTS:
        ids = tokenizer(text, split_special_tokens=True)["input_ids"]
        assert tokenizer.decode(ids, skip_special_tokens=True) == text
    begins = tokenizer("x")["input_ids"][0] == tokenizer.bos_token_id
    assert begins is (packaged is GEMMA)


@pytest.mark.models
def test_the_packaged_tokenizers_cut_text_as_published():
    expected = {
        GEMMA: [9259, 138, 12392, 108, 26537, 236743, 236770, 236778, 236800],
        SMOLLM2: [19556, 216, 905, 198, 198, 15236, 216, 33, 34, 35],
    }
    for packaged, ids in expected.items():
        folder = converted(packaged.paths(), packaged.sha256, default_cache_dir())
        assert (
            AutoTokenizer.from_pretrained(folder)("Hello  world\n\nfoo 123", add_special_tokens=False)[
                "input_ids"
            ]
            == ids
        )
