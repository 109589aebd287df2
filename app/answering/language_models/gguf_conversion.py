"""GGUF files as folders that transformers loads in a second: converted once, cached, checked on load."""

import hashlib
import json
import logging
import shutil
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from numpy.typing import NDArray
from safetensors.torch import save_file
from transformers import Gemma3TextConfig, LlamaConfig, PretrainedConfig

from app.answering.language_models.gguf_file import GGUFFile
from app.answering.language_models.gguf_tokenizer import tokenizer_from
from common.errors import ModelUnusableError
from common.files import remove_unfinished, whole_folder
from common.packaged import blocks_of, sha256_of

CONVERSION_VERSION = 1
SUMS = "sha256.json"
log = logging.getLogger(__name__)


def converted(parts: Sequence[Path], sha256: str, cache_dir: Path) -> Path:
    """The folder of safetensors, config and tokenizer that the GGUF (whole or in parts) converts to.

    The first call converts, into a temporary folder that is then renamed; later calls check the sums recorded
    beside the files. Several processes may ask at once: one converts, the others wait.

    Raises:
        ModelUnusableError: when the GGUF does not have ``sha256`` or is of a family not known here.
    """
    folder = cached_folder(sha256, cache_dir)
    if is_whole(folder):  # before the lock, so that a read-only cache serves
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if is_whole(folder):
            return folder
        if folder.exists():
            log.warning("The converted model in %s is damaged and is made again.", folder)
            shutil.rmtree(folder)
        log.info("Converting a GGUF language model, once; it will be kept in %s.", folder)
        _convert_into(folder, parts, sha256)
        return folder


def cached_folder(sha256: str, cache_dir: Path) -> Path:
    """Where the conversion of the GGUF with this sha256 is kept, made or not."""
    return cache_dir / "models" / f"{sha256}-v{CONVERSION_VERSION}"


def is_whole(folder: Path) -> bool:
    """Whether a converted folder is there and every file has the sha256 recorded when it was made."""
    try:
        sums = json.loads((folder / SUMS).read_bytes())
        return bool(sums) and all(sha256_of(folder / name) == found for name, found in sums.items())
    except (OSError, ValueError):
        return False


def _convert_into(folder: Path, parts: Sequence[Path], sha256: str) -> None:
    remove_unfinished(folder.parent, folder.name)  # of a conversion that was killed: the lock is ours
    with whole_folder(folder) as work:
        with _assembled(parts, sha256, work) as path:
            try:
                _write_model(GGUFFile(path), work)
            except (KeyError, ValueError, IndexError, struct.error, NotImplementedError) as error:
                raise ModelUnusableError(
                    f"The GGUF {parts[0].name} is damaged or of a kind not known here ({error!r}); "
                    "give one of Gemma 3 or SmolLM2."
                ) from error
        _seal(work)


@contextmanager
def _assembled(parts: Sequence[Path], sha256: str, work: Path) -> Iterator[Path]:
    """The GGUF in one file whose sha256 was checked, for as long as it is needed."""
    if len(parts) == 1:
        _check(sha256_of(*parts), sha256, parts)
        yield parts[0]
        return
    whole, digest = work / "assembled.gguf", hashlib.sha256()
    with whole.open("wb") as file:
        for block in blocks_of(parts):
            digest.update(block)
            file.write(block)
    _check(digest.hexdigest(), sha256, parts)
    yield whole
    whole.unlink()


def _check(found: str, expected: str, parts: Sequence[Path]) -> None:
    if found != expected:
        raise ModelUnusableError(
            f"The GGUF {', '.join(part.name for part in parts)} has sha256 {found}, but {expected} is "
            "expected: install or copy it again."
        )


def _write_model(file: GGUFFile, folder: Path) -> None:
    if file.architecture not in FAMILIES:
        raise ModelUnusableError(
            f"GGUF files of the family {file.architecture!r} cannot be converted (known: "
            f"{', '.join(FAMILIES)}). Use a folder with the model's safetensors instead."
        )
    family = FAMILIES[file.architecture]
    config = family.config(_Fields(file))
    config.save_pretrained(folder)
    tokenizer_from(file.metadata).save_pretrained(folder)
    tensors = {
        family.torch_name(name): torch.from_numpy(family.restored(name, values, config)).to(torch.bfloat16)
        for name, values in file.tensors()
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _seal(folder: Path) -> None:
    """Record every file's sha256 beside it, and let every user read them."""
    sums = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
    (folder / SUMS).write_text(json.dumps(sums, indent=1))
    for path in (*folder.iterdir(), folder):
        path.chmod(0o755 if path.is_dir() else 0o644)  # temporary files are private to their maker


class _Fields:
    """A file's hyper-parameters by their name within the family: ``block_count`` is ``llama.block_count``."""

    def __init__(self, file: GGUFFile) -> None:
        self._metadata, self._family = file.metadata, file.architecture
        self.tied = all(entry.name != "output.weight" for entry in file.entries)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401
        key = f"{self._family}.{name}"
        if key not in self._metadata:
            raise ModelUnusableError(f"The GGUF file has no {key}, without which it cannot be converted.")
        return self._metadata[key]

    def has(self, name: str) -> bool:
        """Whether the family's hyper-parameter stands in the file."""
        return f"{self._family}.{name}" in self._metadata

    def common(self) -> dict[str, Any]:
        """What every family's config names alike."""
        if self.has("rope.scaling.type"):
            raise ModelUnusableError("GGUF files with scaled rotary positions cannot be converted.")
        ids = {role: self._metadata.get(f"tokenizer.ggml.{role}_token_id") for role in ("bos", "eos")}
        return {
            "vocab_size": len(self._metadata["tokenizer.ggml.tokens"]),
            "hidden_size": self["embedding_length"],
            "intermediate_size": self["feed_forward_length"],
            "num_hidden_layers": self["block_count"],
            "num_attention_heads": self["attention.head_count"],
            "num_key_value_heads": self["attention.head_count_kv"],
            "max_position_embeddings": self["context_length"],
            "rms_norm_eps": self["attention.layer_norm_rms_epsilon"],
            "tie_word_embeddings": self.tied,
            "bos_token_id": ids["bos"],
            "eos_token_id": ids["eos"],
            "pad_token_id": self._metadata.get("tokenizer.ggml.padding_token_id"),
            "dtype": "bfloat16",
        }


def _gemma3_config(fields: _Fields) -> PretrainedConfig:
    """Gemma 3: every sixth layer attends to everything, the others to a window. The file states neither that
    nor the windows' rotary base: llama.cpp, too, has them as constants."""
    layers, head = fields["block_count"], fields["attention.key_length"]
    return Gemma3TextConfig(
        **fields.common(),
        architectures=["Gemma3ForCausalLM"],
        head_dim=head,
        query_pre_attn_scalar=head,
        sliding_window=fields["attention.sliding_window"],
        layer_types=["sliding_attention" if n % 6 else "full_attention" for n in range(1, layers + 1)],
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": fields["rope.freq_base"]},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
        },
    )


def _llama_config(fields: _Fields) -> PretrainedConfig:
    return LlamaConfig(
        **fields.common(),
        architectures=["LlamaForCausalLM"],
        rope_parameters={"rope_type": "default", "rope_theta": fields["rope.freq_base"]},
    )


Weights = NDArray[np.float32]


def _gemma3_restored(name: str, values: Weights, config: PretrainedConfig) -> Weights:  # noqa: ARG001
    """llama.cpp stores a norm's weight plus one; subtracted before any rounding."""
    return values - 1 if name.endswith("norm.weight") else values


def _llama_restored(name: str, values: Weights, config: PretrainedConfig) -> Weights:
    """llama.cpp interleaves the two halves of each query and key head for its rotary positions."""
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}.get(
        name.split(".")[-2]
    )
    if heads is None:
        return values
    pairs = values.reshape(heads, values.shape[0] // heads // 2, 2, -1)
    return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(values.shape)


SHARED_NAMES = {
    "token_embd": "embed_tokens",
    "output_norm": "norm",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
GEMMA3_NAMES = SHARED_NAMES | {
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
LLAMA_NAMES = SHARED_NAMES | {"ffn_norm": "post_attention_layernorm"}


@dataclass(frozen=True, slots=True)
class _Family:
    """How one family of models is named and stored in a GGUF."""

    config: Callable[[_Fields], PretrainedConfig]
    names: Mapping[str, str]
    restored: Callable[[str, Weights, PretrainedConfig], Weights]

    def torch_name(self, name: str) -> str:
        """``blk.3.attn_q.weight`` as ``model.layers.3.self_attn.q_proj.weight``."""
        if name == "output.weight":
            return "lm_head.weight"
        *layer, part, kind = name.split(".")
        if part not in self.names:
            raise ModelUnusableError(f"The GGUF file holds a tensor {name}, which its family does not have.")
        return ".".join(["model", *(["layers", layer[1]] if layer else []), self.names[part], kind])


FAMILIES = {
    "gemma3": _Family(_gemma3_config, GEMMA3_NAMES, _gemma3_restored),
    "llama": _Family(_llama_config, LLAMA_NAMES, _llama_restored),
}
