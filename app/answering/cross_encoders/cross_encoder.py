"""The reader's model: a small BERT over question and passage that points at answers and judges the passage.

Sequences are packed one after the other without padding, so that no time goes into padding and what a
sequence gives does not depend on the length of others. Axes: T tokens of all sequences, S sequences, D hidden.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name
from safetensors.torch import load_file
from torch import Tensor, nn

from common.errors import ModelUnusableError

_WORDS = "embeddings.word_embeddings.weight"


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """The sizes of a BERT encoder, as its ``config.json`` names them."""

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    intermediate: int
    positions: int
    epsilon: float = 1e-12

    @classmethod
    def of_config(cls, path: Path) -> "EncoderShape":
        """The sizes in a ``config.json``; ModelUnusableError when it is not a BERT with GELU."""
        config = json.loads(path.read_text(encoding="utf-8"))
        if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
            raise ModelUnusableError(
                f"{path} does not describe a BERT encoder with GELU, which the reader needs."
            )
        return cls(
            vocabulary=config["vocab_size"],
            hidden=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            intermediate=config["intermediate_size"],
            positions=config["max_position_embeddings"],
            epsilon=config["layer_norm_eps"],
        )


@dataclass(frozen=True, slots=True)
class Packed:
    """Sequences one after the other. ``ids``, ``types``, ``positions``: int64, (T,). ``lengths``: S, sum T."""

    ids: Tensor
    types: Tensor
    positions: Tensor
    lengths: tuple[int, ...]

    @classmethod
    def of(cls, sequences: Sequence[tuple[Sequence[int], Sequence[int]]], device: str = "cpu") -> "Packed":
        """Sequences given as (ids, types), at least one of each."""
        lengths = tuple(len(ids) for ids, _ in sequences)
        return cls(
            torch.tensor([one for ids, _ in sequences for one in ids], device=device),
            torch.tensor([one for _, types in sequences for one in types], device=device),
            torch.cat([torch.arange(length, device=device) for length in lengths]),
            lengths,
        )

    @property
    def firsts(self) -> Tensor:
        """Where each sequence's first token, its [CLS], stands: (S,)."""
        lengths = torch.tensor(self.lengths, device=self.ids.device)
        return lengths.cumsum(0) - lengths


class Scores(NamedTuple):
    """Logits in float32. ``start``, ``end``: (T,). ``answerability``: (S,)."""

    start: Tensor
    end: Tensor
    answerability: Tensor


class _Layer(nn.Module):
    """A layer of BERT (Devlin et al. 2019): self-attention and feed-forward, each added and then normalised."""

    def __init__(self, shape: EncoderShape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.qkv = nn.Linear(shape.hidden, 3 * shape.hidden)
        self.out = nn.Linear(shape.hidden, shape.hidden)
        self.attention_norm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        self.up = nn.Linear(shape.hidden, shape.intermediate)
        self.down = nn.Linear(shape.intermediate, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)

    def forward(self, states: Tensor, lengths: tuple[int, ...]) -> Tensor:
        # (T, 3D) -> per sequence (tokens, D): one at a time, which stays within the processor's cache
        mixed = torch.cat([self._attend(piece) for piece in self.qkv(states).split(lengths)])
        states = self.attention_norm(states + self.out(mixed))
        return self.norm(states + self.down(F.gelu(self.up(states))))  # type: ignore[no-any-return]

    def _attend(self, qkv: Tensor) -> Tensor:
        tokens, width = qkv.shape[0], qkv.shape[1] // 3 // self.heads
        # each (heads, tokens, width)
        query, key, value = qkv.view(tokens, 3, self.heads, width).permute(1, 2, 0, 3).contiguous()
        weights = torch.bmm(query * (1 / math.sqrt(width)), key.transpose(1, 2)).softmax(-1)
        return torch.bmm(weights, value).transpose(0, 1).reshape(tokens, self.heads * width)


class CrossEncoder(nn.Module):
    """BERT with a pointer over its tokens and a judgement of the sequence from its [CLS].

    The word embeddings are frozen and no part of its ``state_dict``: they are those of the base model.
    """

    words: Tensor

    def __init__(self, shape: EncoderShape, words: Tensor) -> None:
        """``words``: the base model's word embeddings, (vocabulary, D)."""
        super().__init__()
        self.shape = shape
        self.register_buffer("words", words, persistent=False)
        self.positions = nn.Embedding(shape.positions, shape.hidden)
        self.types = nn.Embedding(2, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        self.layers = nn.ModuleList(_Layer(shape) for _ in range(shape.layers))
        self.pointer = nn.Linear(shape.hidden, 2)
        self.answerability = nn.Linear(shape.hidden, 1)

    def forward(self, packed: Packed) -> Scores:
        """The logits of every token and of every sequence."""
        states = self.states(packed)
        start, end = self.pointer(states).float().unbind(-1)
        answerability = self.answerability(states[packed.firsts]).float().squeeze(-1)
        return Scores(start, end, answerability)

    def states(self, packed: Packed) -> Tensor:
        """The last layer's states, (T, D)."""
        embedded = F.embedding(packed.ids, self.words) + self.types(packed.types)
        states: Tensor = self.norm(embedded + self.positions(packed.positions))
        for layer in self.layers:
            states = layer(states, packed.lengths)
        return states


def base_model(folder: Path, *, seed: int = 0) -> CrossEncoder:
    """The encoder of this folder (``config.json``, ``model.safetensors``) with heads that know nothing yet.

    Raises:
        ModelUnusableError: when it is not a BERT encoder.
    """
    shape = EncoderShape.of_config(folder / "config.json")
    try:
        tensors = load_file(folder / "model.safetensors")
        model = CrossEncoder(shape, tensors[_WORDS].float())
        # beginnings of the heads, from a generator of their own: the process's is left alone
        generator = torch.Generator().manual_seed(seed)
        heads = {
            "pointer.weight": torch.randn(2, shape.hidden, generator=generator) * 0.02,
            "pointer.bias": torch.zeros(2),
            "answerability.weight": torch.randn(1, shape.hidden, generator=generator) * 0.02,
            "answerability.bias": torch.zeros(1),
        }
        model.load_state_dict(_of_bert(tensors, shape) | heads)
    except (KeyError, RuntimeError, OSError) as error:
        raise ModelUnusableError(
            f"{folder} does not hold the weights of a BERT encoder ({error})."
        ) from error
    return model


def base_words(folder: Path) -> Tensor:
    """The word embeddings of the encoder in this folder, (vocabulary, D)."""
    return load_file(folder / "model.safetensors")[_WORDS]


def _of_bert(tensors: dict[str, Tensor], shape: EncoderShape) -> dict[str, Tensor]:
    """BERT's tensors under this model's names, without the word embeddings."""
    embeddings = "embeddings."
    found = {
        "positions.weight": tensors[embeddings + "position_embeddings.weight"],
        "types.weight": tensors[embeddings + "token_type_embeddings.weight"],
        "norm.weight": tensors[embeddings + "LayerNorm.weight"],
        "norm.bias": tensors[embeddings + "LayerNorm.bias"],
    }
    names = {
        "out": "attention.output.dense",
        "attention_norm": "attention.output.LayerNorm",
        "up": "intermediate.dense",
        "down": "output.dense",
        "norm": "output.LayerNorm",
    }
    for number in range(shape.layers):
        ours, theirs = f"layers.{number}.", f"encoder.layer.{number}."
        for part in ("weight", "bias"):
            attention = [
                tensors[f"{theirs}attention.self.{name}.{part}"] for name in ("query", "key", "value")
            ]
            found[f"{ours}qkv.{part}"] = torch.cat(attention)
            for name, other in names.items():
                found[f"{ours}{name}.{part}"] = tensors[f"{theirs}{other}.{part}"]
    return {name: tensor.float() for name, tensor in found.items()}
