"""The reader's model: a BERT or MPNet over question and passage that points at answers and judges the passage.

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

from app.answering.answer_kind import AnswerKind
from common.errors import ModelUnusableError

_WORDS = "embeddings.word_embeddings.weight"
_FARTHEST = 128
BROAD = "broad."
"""How the names of a broad model's further heads begin."""
HEADS = ("pointer.", "answerability.", BROAD)
PROJECTIONS = ("qkv", "out", "up", "down")
"""The names of a layer's projections, which low-rank changes are for."""


@dataclass(frozen=True, slots=True)
class EncoderShape:
    """The sizes of a BERT or MPNet encoder, as its ``config.json`` names them.

    ``first_position``: the position of a sequence's first token. ``buckets``: of the distances that attention has a
    bias for; 0 for BERT, which has none.
    """

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    intermediate: int
    positions: int
    epsilon: float = 1e-12
    first_position: int = 0
    buckets: int = 0

    @classmethod
    def of_config(cls, path: Path) -> "EncoderShape":
        """The sizes in a ``config.json``; ModelUnusableError when it is not a BERT or MPNet with GELU."""
        config = json.loads(path.read_text(encoding="utf-8"))
        if config.get("model_type") not in {"bert", "mpnet"} or config.get("hidden_act") != "gelu":
            raise ModelUnusableError(
                f"{path} does not describe a BERT or MPNet encoder with GELU, which the reader needs."
            )
        mpnet = config["model_type"] == "mpnet"
        return cls(
            vocabulary=config["vocab_size"],
            hidden=config["hidden_size"],
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            intermediate=config["intermediate_size"],
            positions=config["max_position_embeddings"],
            epsilon=config["layer_norm_eps"],
            # MPNet counts positions from after the padding's
            first_position=config["pad_token_id"] + 1 if mpnet else 0,
            buckets=config["relative_attention_num_buckets"] if mpnet else 0,
        )


@dataclass(frozen=True, slots=True)
class Packed:
    """Sequences one after the other. ``ids``, ``types``, ``positions``: int64, (T,). ``lengths``: S, sum T.

    Positions count from 0 in each sequence.
    """

    ids: Tensor
    types: Tensor
    positions: Tensor
    lengths: tuple[int, ...]

    @classmethod
    def of(cls, sequences: Sequence[tuple[Sequence[int], Sequence[int]]], device: str = "cpu") -> "Packed":
        """Sequences given as (ids, types), at least one of each."""
        lengths = tuple(len(ids) for ids, _ in sequences)
        return cls(
            torch.tensor([id_ for ids, _ in sequences for id_ in ids], device=device),
            torch.tensor([kind for _, types in sequences for kind in types], device=device),
            torch.cat([torch.arange(length, device=device) for length in lengths]),
            lengths,
        )

    @property
    def firsts(self) -> Tensor:
        """Where each sequence's first token, its [CLS] or <s>, stands: (S,)."""
        lengths = torch.tensor(self.lengths, device=self.ids.device)
        return lengths.cumsum(0) - lengths


class Scores(NamedTuple):
    """Logits in float32. ``start``, ``end``: (T,). ``answerability``: (S,). ``broad``: None without those heads."""

    start: Tensor
    end: Tensor
    answerability: Tensor
    broad: "BroadScores | None" = None


class BroadScores(NamedTuple):
    """What is asked of a passage beyond short answers, as logits in float32.

    ``evidence``: of each token, that it stands in a sentence that answers, (T,). ``kind``: of each kind of answer in
    the order of ``AnswerKind``, (S, kinds). ``verdict``: that the passage says yes, (S,).
    """

    evidence: Tensor
    kind: Tensor
    verdict: Tensor


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

    def forward(self, states: Tensor, lengths: tuple[int, ...], bias: Tensor | None) -> Tensor:
        """``bias``: of every pair of positions, (heads, longest, longest)."""
        # (T, 3D) -> per sequence (tokens, D): one at a time, which stays within the processor's cache
        mixed = torch.cat([self._attend(piece, bias) for piece in self.qkv(states).split(lengths)])
        states = self.attention_norm(states + self.out(mixed))
        return self.norm(states + self.down(F.gelu(self.up(states))))  # type: ignore[no-any-return]

    def _attend(self, qkv: Tensor, bias: Tensor | None) -> Tensor:
        tokens, width = qkv.shape[0], qkv.shape[1] // 3 // self.heads
        # each (heads, tokens, width)
        query, key, value = qkv.view(tokens, 3, self.heads, width).permute(1, 2, 0, 3).contiguous()
        query = query * (1 / math.sqrt(width))
        if bias is None:
            scores = torch.bmm(query, key.transpose(1, 2))
        else:
            scores = torch.baddbmm(bias[:, :tokens, :tokens], query, key.transpose(1, 2))
        return torch.bmm(scores.softmax(-1), value).transpose(0, 1).reshape(tokens, self.heads * width)


class _BroadHeads(nn.Module):
    """The heads of a broad model."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.evidence = nn.Linear(hidden, 1)
        self.kind = nn.Linear(hidden, len(AnswerKind))
        self.verdict = nn.Linear(hidden, 1)

    def forward(self, states: Tensor, firsts: Tensor) -> BroadScores:
        """``states``: of every token, (T, D). ``firsts``: of every sequence's first, (S, D)."""
        return BroadScores(
            self.evidence(states).float().squeeze(-1),
            self.kind(firsts).float(),
            self.verdict(firsts).float().squeeze(-1),
        )


class CrossEncoder(nn.Module):
    """BERT or MPNet with a pointer over its tokens and a judgement of the sequence from its first token.

    Where it is ``broad``, it has heads for evidence, the kind of answer, and yes or no besides. The word embeddings
    are frozen and no part of its ``state_dict``: they are those of the base model.
    """

    words: Tensor

    def __init__(self, shape: EncoderShape, words: Tensor, *, broad: bool = False) -> None:
        """``words``: the base model's word embeddings, (vocabulary, D)."""
        super().__init__()
        self.shape = shape
        self.register_buffer("words", words, persistent=False)
        self.positions = nn.Embedding(shape.positions, shape.hidden)
        self.types = nn.Embedding(2, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        if shape.buckets:
            self.distances = nn.Embedding(shape.buckets, shape.heads)
        self.layers = nn.ModuleList(_Layer(shape) for _ in range(shape.layers))
        self.pointer = nn.Linear(shape.hidden, 2)
        self.answerability = nn.Linear(shape.hidden, 1)
        self.broad = _BroadHeads(shape.hidden) if broad else None

    def forward(self, packed: Packed) -> Scores:
        """The logits of every token and of every sequence."""
        states = self.states(packed)
        start, end = self.pointer(states).float().unbind(-1)
        firsts = states[packed.firsts]
        answerability = self.answerability(firsts).float().squeeze(-1)
        broad = None if self.broad is None else self.broad(states, firsts)
        return Scores(start, end, answerability, broad)

    def states(self, packed: Packed) -> Tensor:
        """The last layer's states, (T, D)."""
        embedded = F.embedding(packed.ids, self.words) + self.types(packed.types)
        positions = self.positions(packed.positions + self.shape.first_position)
        states: Tensor = self.norm(embedded + positions)
        bias = self._bias(max(packed.lengths)) if self.shape.buckets else None
        for layer in self.layers:
            states = layer(states, packed.lengths, bias)
        return states

    def _bias(self, longest: int) -> Tensor:
        """What attention adds for every pair of positions, the same in every layer: (heads, longest, longest)."""
        places = torch.arange(longest, device=self.words.device)
        buckets = distance_buckets(places[None, :] - places[:, None], self.shape.buckets)  # (from, to)
        return self.distances(buckets).permute(2, 0, 1).contiguous()  # type: ignore[no-any-return]


def distance_buckets(distances: Tensor, buckets: int) -> Tensor:
    """The bucket of each distance (to minus from): half of them look back, half ahead.

    Half of each half are for single distances from 0 on; the others grow with the logarithm, up to 128 (Raffel et
    al. 2020, section 2.1).
    """
    ahead = (distances > 0).long() * (buckets // 2)
    far, single = distances.abs(), buckets // 4
    share = torch.log(far.float() / single) / math.log(_FARTHEST / single)
    grown = single + (share * (buckets // 2 - single)).long()
    return ahead + torch.where(far < single, far, grown.clamp(max=buckets // 2 - 1))


def base_model(folder: Path, *, seed: int = 0, broad: bool = False) -> CrossEncoder:
    """The encoder of this folder (``config.json``, ``model.safetensors``) with heads that know nothing yet.

    MPNet has no types of tokens: it gets two that are zero.

    Raises:
        ModelUnusableError: when it is neither a BERT nor an MPNet encoder.
    """
    shape = EncoderShape.of_config(folder / "config.json")
    try:
        tensors = load_file(folder / "model.safetensors")
        model = CrossEncoder(shape, tensors[_WORDS].float(), broad=broad)
        # beginnings of the heads, from a generator of their own: the process's is left alone
        generator = torch.Generator().manual_seed(seed)
        heads = {
            name: torch.randn(weight.shape, generator=generator) * 0.02
            if name.endswith("weight")
            else torch.zeros(weight.shape)
            for name, weight in model.state_dict().items()
            if name.startswith(HEADS)
        }
        encoder = _of_mpnet(tensors, shape) if shape.buckets else _of_bert(tensors, shape)
        model.load_state_dict(encoder | heads)
    except (KeyError, RuntimeError, OSError) as error:
        raise ModelUnusableError(
            f"{folder} does not hold the weights of a BERT or MPNet encoder ({error})."
        ) from error
    return model


def base_words(folder: Path) -> Tensor:
    """The word embeddings of the encoder in this folder, (vocabulary, D)."""
    return load_file(folder / "model.safetensors")[_WORDS]


def _of_bert(tensors: dict[str, Tensor], shape: EncoderShape) -> dict[str, Tensor]:
    """BERT's tensors under this model's names, without the word embeddings."""
    attention = [f"attention.self.{name}" for name in ("query", "key", "value")]
    names = {"out": "attention.output.dense", "attention_norm": "attention.output.LayerNorm"}
    types = {"types.weight": tensors["embeddings.token_type_embeddings.weight"].float()}
    return _encoder(tensors, shape, attention, names) | types


def _of_mpnet(tensors: dict[str, Tensor], shape: EncoderShape) -> dict[str, Tensor]:
    """MPNet's tensors under this model's names, without the word embeddings, and types that are zero."""
    attention = [f"attention.attn.{name}" for name in "qkv"]
    names = {"out": "attention.attn.o", "attention_norm": "attention.LayerNorm"}
    further = {
        "types.weight": torch.zeros(2, shape.hidden),
        "distances.weight": tensors["encoder.relative_attention_bias.weight"].float(),
    }
    return _encoder(tensors, shape, attention, names) | further


def _encoder(
    tensors: dict[str, Tensor], shape: EncoderShape, attention: Sequence[str], names: dict[str, str]
) -> dict[str, Tensor]:
    """What both have. ``attention``: a layer's projections to query, key, value. ``names``: of others, ours first."""
    names = names | {"up": "intermediate.dense", "down": "output.dense", "norm": "output.LayerNorm"}
    found = {
        "positions.weight": tensors["embeddings.position_embeddings.weight"],
        "norm.weight": tensors["embeddings.LayerNorm.weight"],
        "norm.bias": tensors["embeddings.LayerNorm.bias"],
    }
    for number in range(shape.layers):
        ours, theirs = f"layers.{number}.", f"encoder.layer.{number}."
        for part in ("weight", "bias"):
            found[f"{ours}qkv.{part}"] = torch.cat([tensors[f"{theirs}{name}.{part}"] for name in attention])
            for name, other in names.items():
                found[f"{ours}{name}.{part}"] = tensors[f"{theirs}{other}.{part}"]
    return {name: tensor.float() for name, tensor in found.items()}
