"""The tokenizer that a GGUF file describes: its vocabulary and merges, with the rules it only names."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

from common.errors import ModelUnusableError

# Token kinds in ``tokenizer.ggml.token_type``.
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4
ROLES = {"bos_token": "bos", "eos_token": "eos", "pad_token": "padding", "unk_token": "unknown"}


def tokenizer_from(metadata: Mapping[str, Any]) -> PreTrainedTokenizerFast:
    """A tokenizer that encodes as the model was trained to.

    Raises:
        ModelUnusableError: for a kind of tokenizer whose rules are not known here.
    """
    kind = (
        metadata["general.architecture"],
        metadata["tokenizer.ggml.model"],
        metadata["tokenizer.ggml.pre"],
    )
    if kind not in BUILDERS:
        known = "; ".join(", ".join(names) for names in BUILDERS)
        raise ModelUnusableError(
            f"No tokenizer can be rebuilt from a GGUF file that names {', '.join(kind)} (known: {known}). "
            "Use a folder with the model's safetensors and tokenizer.json instead."
        )
    tokens: list[str] = metadata["tokenizer.ggml.tokens"]
    tokenizer = BUILDERS[kind](tokens, metadata)
    roles = {role: tokens[id_] for role, id_ in _role_ids(metadata).items()}
    _add_whole_tokens(tokenizer, tokens, metadata["tokenizer.ggml.token_type"])
    if metadata.get("tokenizer.ggml.add_bos_token"):
        bos = roles["bos_token"]
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, tokens.index(bos))]
        )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **roles
    )


def _role_ids(metadata: Mapping[str, Any]) -> dict[str, int]:
    keys = {role: f"tokenizer.ggml.{word}_token_id" for role, word in ROLES.items()}
    return {role: metadata[key] for role, key in keys.items() if key in metadata}


def _add_whole_tokens(tokenizer: Tokenizer, tokens: Sequence[str], kinds: Sequence[int]) -> None:
    """Tokens that are matched whole before any merging: control tokens, runs of line ends, HTML tags."""
    respelt = {token: token.replace(" ", "▁") if token.isspace() else token for token in tokens}
    vocabulary = tokenizer.get_vocab()
    by_kind = {
        kind: [
            AddedToken(respelt[token], normalized=False, special=kind == CONTROL)
            for token, its_kind in zip(tokens, kinds, strict=True)
            if its_kind == kind and respelt[token] in vocabulary
        ]
        for kind in (CONTROL, USER_DEFINED)
    }
    tokenizer.add_special_tokens(by_kind[CONTROL])
    tokenizer.add_tokens(by_kind[USER_DEFINED])


def _byte_level(tokens: Sequence[str], metadata: Mapping[str, Any]) -> Tokenizer:
    """SmolLM2's: byte-level BPE whose digits stand alone."""
    merges = [tuple(merge.split(" ")) for merge in metadata["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(BPE(vocab={token: id_ for id_, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _sentencepiece(tokens: Sequence[str], metadata: Mapping[str, Any]) -> Tokenizer:
    """Gemma's: BPE over characters with byte fallback, a space written "▁", no space put in front."""
    spelt = [token.replace(" ", "▁") if token.isspace() else token for token in tokens]
    vocabulary = {token: id_ for id_, token in enumerate(spelt)}
    tokenizer = Tokenizer(
        BPE(
            vocab=vocabulary,
            merges=_merges(spelt, vocabulary),
            unk_token=tokens[metadata["tokenizer.ggml.unknown_token_id"]],
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", behavior="merged_with_previous")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    return tokenizer


def _merges(tokens: Sequence[str], vocabulary: Mapping[str, int]) -> list[tuple[str, str]]:
    """Every way to make a token of two others, in the order of the tokens, longest left part first.

    The file lists no merges for Gemma, and its scores do not follow their order; the vocabulary's order does.
    """
    return [
        (token[:cut], token[cut:])
        for token in tokens
        for cut in range(len(token) - 1, 0, -1)
        if token[:cut] in vocabulary and token[cut:] in vocabulary
    ]


Builder = Callable[[Sequence[str], Mapping[str, Any]], Tokenizer]
BUILDERS: dict[tuple[str, str, str], Builder] = {
    ("gemma3", "llama", "default"): _sentencepiece,
    ("llama", "gpt2", "smollm"): _byte_level,
}
