"""BERT encoders without padding: the tokens of many texts stand one below the other, and nothing else does.

``SentenceTransformer`` pads a batch to its longest text, and masks the padding in every layer. Here the matrix products
see real tokens alone, and attention takes the texts of one length together, unmasked.

Axes: T tokens of all texts, R texts of one length L, H heads, D numbers a head, W numbers a token (H times D).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Protocol, Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from transformers import BertModel
    from transformers.models.bert.modeling_bert import BertLayer, BertSelfAttention

TOKENS_TOGETHER = 2_048
"""Tokens that go through a layer at a time, unless a single text has more."""

_FINITE = 1e30  # sums of exponentials beyond it, or below its inverse, are computed the careful way


@dataclass(frozen=True, slots=True)
class Run:
    """So many texts that follow one another, all of this many tokens."""

    texts: int
    tokens: int


class Product(Protocol):
    """A linear layer, its input (T, in) and its output (T, out)."""

    def __call__(self, rows: Tensor) -> Tensor:
        """The product with its bias."""

    def gelu(self, rows: Tensor) -> Tensor:
        """GELU of the product; only for the one after it."""

    def plus(self, rows: Tensor, other: Tensor) -> Tensor:
        """The product and ``other``, (T, out)."""


MakeProduct = Callable[[str, Tensor, Tensor], Product]
"""A product of a name in the model, such as ``3.up``, from its weight (out, in) and its bias (out)."""


class FloatProduct:
    """A linear layer in bfloat16 or float32; its weights lie as oneDNN wants them, where torch has that."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self._bias = bias
        self._weight, self._packed = weight, None
        if _packs(weight.dtype):
            self._packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), TOKENS_TOGETHER)

    def __call__(self, rows: Tensor) -> Tensor:
        if self._packed is None:
            return functional.linear(rows, self._weight, self._bias)
        return _tensor(torch.ops.mkldnn._linear_pointwise(rows, self._packed, self._bias, "none", [], ""))

    def gelu(self, rows: Tensor) -> Tensor:
        if self._packed is None:
            return functional.gelu(self(rows))
        return _tensor(torch.ops.mkldnn._linear_pointwise(rows, self._packed, self._bias, "gelu", [], "none"))

    def plus(self, rows: Tensor, other: Tensor) -> Tensor:
        if self._packed is None:
            return self(rows) + other
        return _tensor(
            torch.ops.mkldnn._linear_pointwise.binary(rows, other, self._packed, self._bias, "add")
        )


class _Norm:
    """A layer normalisation of the last axis."""

    def __init__(self, norm: nn.LayerNorm, dtype: torch.dtype) -> None:
        self._weight, self._bias, self._eps = norm.weight.to(dtype), norm.bias.to(dtype), norm.eps

    def __call__(self, rows: Tensor) -> Tensor:
        return functional.layer_norm(rows, rows.shape[-1:], self._weight, self._bias, self._eps)


class _Layer:
    """One of BERT's layers, on (T, W)."""

    def __init__(
        self, name: str, layer: "BertLayer", *, heads: int, dtype: torch.dtype, make: MakeProduct
    ) -> None:
        self._heads = heads
        self._qkv = make(f"{name}.qkv", *_qkv_weights(cast("BertSelfAttention", layer.attention.self), heads))
        self._out = make(f"{name}.out", *_weights(layer.attention.output.dense))
        self._up = make(f"{name}.up", *_weights(layer.intermediate.dense))
        self._down = make(f"{name}.down", *_weights(layer.output.dense))
        self._after_attention = _Norm(layer.attention.output.LayerNorm, dtype)
        self._after_all = _Norm(layer.output.LayerNorm, dtype)

    def __call__(self, rows: Tensor, runs: Sequence[Run]) -> Tensor:
        attended = _attended(self._qkv(rows), runs, self._heads)
        rows = self._after_attention(self._out.plus(attended, rows))
        return self._after_all(self._down.plus(self._up.gelu(rows), rows))


class PackedBert:
    """A BERT encoder with mean or first-token pooling, its weights taken from ``model``.

    ``make``: how its products are computed. ``dtype``: what stands between them.
    """

    def __init__(self, model: "BertModel", *, make: MakeProduct, dtype: torch.dtype, mean: bool) -> None:
        embeddings, config = model.embeddings, model.config
        self._words = embeddings.word_embeddings.weight.detach().to(dtype)
        places = embeddings.position_embeddings.weight + embeddings.token_type_embeddings.weight[0]
        self._places = places.detach().to(dtype)
        self._first = _Norm(embeddings.LayerNorm, dtype)
        self._layers = [
            _Layer(
                str(number),
                cast("BertLayer", layer),
                heads=config.num_attention_heads,
                dtype=dtype,
                make=make,
            )
            for number, layer in enumerate(model.encoder.layer)
        ]
        self._mean = mean

    @classmethod
    def of(
        cls, model: "SentenceTransformer", *, make: MakeProduct | None = None, dtype: torch.dtype
    ) -> Self | None:
        """This ``SentenceTransformer`` without padding; None where it is not a plain BERT.

        ``make``: unless given, products are in ``dtype``.
        """
        from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
        from transformers import BertModel

        if [type(module) for module in model][:2] != [Transformer, Pooling]:
            return None
        bert, pooling, longest = model[0].auto_model, model[1], model.max_seq_length
        plain = (
            all(type(module) is Normalize for module in list(model)[2:])
            and type(bert) is BertModel
            and bert.config.hidden_act == "gelu"
            and getattr(bert.config, "position_embedding_type", "absolute") == "absolute"
            and not bert.config.is_decoder
            and longest is not None
            and longest <= bert.config.max_position_embeddings
            and pooling.pooling_mode in ("mean", "cls")
            and pooling.include_prompt
            and not getattr(model[0], "do_lower_case", False)
            and all(type(part) in _PLAIN for part in bert.modules() if list(part.parameters(recurse=False)))
        )
        if not plain:
            return None

        def in_dtype(_: str, weight: Tensor, bias: Tensor) -> Product:
            return FloatProduct(weight.to(dtype), bias.to(dtype))

        with torch.inference_mode():
            return cls(
                cast("BertModel", bert),
                make=make or in_dtype,
                dtype=dtype,
                mean=pooling.pooling_mode == "mean",
            )

    @property
    def words(self) -> int:
        """How many tokens its vocabulary has."""
        return len(self._words)

    def encode(self, texts: Sequence[Sequence[int]]) -> Tensor:
        """The pooled vectors of texts that are given as tokens, (texts, W), float32; not normalised."""
        vectors = torch.empty(len(texts), self._words.shape[1])
        with torch.inference_mode():
            for places in packs([len(text) for text in texts]):
                vectors[places] = self._pooled([texts[place] for place in places])
        return vectors

    def _pooled(self, texts: Sequence[Sequence[int]]) -> Tensor:
        runs = [Run(len(list(run)), tokens) for tokens, run in groupby(map(len, texts))]
        ids = torch.tensor([token for text in texts for token in text])
        places = torch.cat([self._places[: run.tokens].repeat(run.texts, 1) for run in runs])
        rows = self._first(functional.embedding(ids, self._words) + places)
        for layer in self._layers:
            rows = layer(rows, runs)
        return torch.cat([self._pool(part, run) for part, run in _parts(rows, runs)])

    def _pool(self, rows: Tensor, run: Run) -> Tensor:
        texts = rows.view(run.texts, run.tokens, -1)
        return texts.mean(1, dtype=torch.float32) if self._mean else texts[:, 0].float()


def packs(lengths: Sequence[int]) -> Iterator[list[int]]:
    """The places of texts of these lengths, in tokens, longest first, as many together as go through a layer."""
    pack: list[int] = []
    tokens = 0
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if pack and tokens + lengths[place] > TOKENS_TOGETHER:
            yield pack
            pack, tokens = [], 0
        pack.append(place)
        tokens += lengths[place]
    if pack:
        yield pack


_PLAIN = (nn.Linear, nn.Embedding, nn.LayerNorm)  # no adapter stands in their place


def _attended(qkv: Tensor, runs: Sequence[Run], heads: int) -> Tensor:
    """What attention makes of (T, queries and keys and values), (T, W)."""
    parts = [_run_attended(rows, run, heads) for rows, run in _parts(qkv, runs)]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _run_attended(qkv: Tensor, run: Run, heads: int) -> Tensor:
    # Values have a last column of ones (see _qkv_weights), whose product is the sum of the exponentials: dividing by it
    # makes the softmax. torch's own takes three times as long where L is no multiple of 16.
    size = (qkv.shape[1] - heads) // (3 * heads)
    width = heads * size

    def by_head(columns: Tensor) -> Tensor:  # (R times H, L, D)
        texts = columns.view(run.texts, run.tokens, heads, -1).transpose(1, 2)
        return texts.reshape(run.texts * heads, run.tokens, -1)

    queries, keys = by_head(qkv[:, :width]), by_head(qkv[:, width : 2 * width]).transpose(1, 2)
    values = by_head(qkv[:, 2 * width :])
    weighted = torch.bmm(torch.bmm(queries, keys).exp_(), values)
    low, high = (float(end) for end in weighted[..., size].aminmax())
    if not 1 / _FINITE < low <= high < _FINITE:
        weighted = torch.bmm(functional.softmax(torch.bmm(queries, keys), dim=-1), values)
    by_text = weighted.view(run.texts, heads, run.tokens, -1).transpose(1, 2)  # (R, L, H, D + 1)
    return (by_text[..., :size] / by_text[..., size:]).reshape(-1, width)


def _parts(rows: Tensor, runs: Sequence[Run]) -> Iterator[tuple[Tensor, Run]]:
    """The rows of each run."""
    yield from zip(torch.split(rows, [run.texts * run.tokens for run in runs]), runs, strict=True)


def _qkv_weights(attention: "BertSelfAttention", heads: int) -> tuple[Tensor, Tensor]:
    """Queries, already divided by the root of D, keys, and values: D columns a head, then one that is always 1."""
    (query, query_bias), (key, key_bias), (value, value_bias) = (
        _weights(part) for part in (attention.query, attention.key, attention.value)
    )
    size = len(query_bias) // heads
    scale = 1 / math.sqrt(size)
    values = torch.zeros(heads, size + 1, value.shape[1], dtype=value.dtype)
    values[:, :size] = value.view(heads, size, -1)
    ones = torch.ones(heads, size + 1, dtype=value.dtype)
    ones[:, :size] = value_bias.view(heads, size)
    weight = torch.cat([query * scale, key, values.flatten(0, 1)])
    return weight, torch.cat([query_bias * scale, key_bias, ones.flatten()])


def _weights(linear: nn.Linear) -> tuple[Tensor, Tensor]:
    # in float32: what is folded into them is rounded once
    return linear.weight.detach().float(), linear.bias.detach().float()


def _packs(dtype: torch.dtype) -> bool:
    """Whether torch has oneDNN's products in this format; of bfloat16 it has none where the CPU has too little."""
    there: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not there or not hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return False
    return dtype is not torch.bfloat16 or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _tensor(result: object) -> Tensor:
    if not isinstance(result, Tensor):
        raise TypeError(f"Expected a tensor, but got {type(result).__name__}.")
    return result
