"""Language models of a few thousand random weights, and the tokenizer for them whose tokens are bytes."""

from collections.abc import Callable
from typing import TypeVar

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from torch import nn
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

HIDDEN = 32
BYTES = 259
"""Tokens of ``byte_tokenizer``."""
_SIZES = {
    "hidden_size": HIDDEN,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 2048,
}
M = TypeVar("M", bound=PreTrainedModel)


def gemma3(vocabulary: int) -> Gemma3ForCausalLM:
    """The same weights in every call; a passage is longer than its sliding window."""
    types = ["sliding_attention", "full_attention", "sliding_attention"]
    head = {"head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 16, "layer_types": types}
    config = Gemma3TextConfig(**_SIZES, **head, vocab_size=vocabulary)
    return _random(lambda: Gemma3ForCausalLM(config))


def llama(vocabulary: int) -> LlamaForCausalLM:
    """The same weights in every call."""
    config = LlamaConfig(**_SIZES, vocab_size=vocabulary, tie_word_embeddings=True)
    return _random(lambda: LlamaForCausalLM(config))


FAMILIES = (gemma3, llama)


def randomise(module: nn.Module) -> None:
    """Give the weights, but those of norms, values so far from zero that every position matters."""
    for name, weight in module.named_parameters():
        if "norm" not in name:
            nn.init.normal_(weight, std=0.3)


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """Every byte is a token."""
    tokens = ["<pad>", "<bos>", "<eos>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    backend = Tokenizer(BPE(vocab={token: n for n, token in enumerate(tokens)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", eos_token="<eos>")


def _random(build: Callable[[], M]) -> M:
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = build()
        randomise(model)
    return model.eval()
