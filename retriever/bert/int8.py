"""Linear layers in 8-bit integers: inputs on a fixed scale for each product, weights on one for each row.

The scales of the inputs are found once, by reading random words in floating point: the same ones each time, so the same
weights give the same scales. They do not depend on what is embedded, so a text's vector does not either.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from common.int8_linear import Int8Weight, unsigned
from retriever.bert.packed_bert import FloatProduct, PackedBert, Product

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_LENGTHS = range(16, 257, 16)  # of the random texts that show how far inputs reach, in tokens


@dataclass(slots=True)
class Reach:
    """How far inputs reach, zero included."""

    low: float = 0.0
    high: float = 0.0

    def cover(self, rows: Tensor) -> None:
        """Widen it to hold these, too."""
        low, high = (float(end) for end in rows.aminmax())
        self.low, self.high = min(self.low, low), max(self.high, high)


@dataclass(frozen=True, slots=True)
class Scale:
    """What a step of 0 to 255 is worth, and which of them means 0."""

    step: float
    zero: int

    @classmethod
    def over(cls, reach: Reach) -> "Scale":
        """The finest scale that holds these inputs."""
        step = max(reach.high - reach.low, 1e-6) / 255
        return cls(step, round(-reach.low / step))

    def quantised(self, rows: Tensor) -> Tensor:
        """The nearest steps, 8 bits each; beyond the ends, the ends."""
        return unsigned((rows.float() * (1 / self.step)).add_(self.zero - 128).round_().clamp_(-128, 127))


class Int8Product:
    """A linear layer whose inputs have 8 bits and whose weights have 7, so that sums are exact on every CPU.

    ``taken``: the scale of its inputs. ``then``: of what follows GELU; None where nothing does. ``dtype``: of the
    result, where it is not added to something.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor, *, taken: Scale, then: Scale | None, dtype: torch.dtype
    ) -> None:
        self._taken, self._then, self._dtype, self._bias = taken, then, dtype, bias
        self._weight = Int8Weight.of(weight)

    def __call__(self, rows: Tensor) -> Tensor:
        return self._product(rows, 1.0, 0, self._dtype, "none", "")

    def gelu(self, rows: Tensor) -> Tensor:
        if self._then is None:
            raise ValueError("There is no scale for what follows GELU here.")
        return self._product(rows, self._then.step, self._then.zero, torch.uint8, "gelu", "none")

    def plus(self, rows: Tensor, other: Tensor) -> Tensor:
        added: Tensor = torch.ops.onednn.qlinear_pointwise.binary(
            self._levels(rows), self._taken.step, self._taken.zero, *self._weight, other, self._bias,
            1.0, 0, other.dtype, 1.0, 0, "sum", 1.0, "none", [], "",
        )  # fmt: skip
        return added

    def _product(
        self, rows: Tensor, step: float, zero: int, dtype: torch.dtype, after: str, kind: str
    ) -> Tensor:
        product: Tensor = torch.ops.onednn.qlinear_pointwise(
            self._levels(rows), self._taken.step, self._taken.zero, *self._weight, self._bias,
            step, zero, dtype, after, [], kind,
        )  # fmt: skip
        return product

    def _levels(self, rows: Tensor) -> Tensor:
        return rows if rows.dtype is torch.uint8 else self._taken.quantised(rows)


class _Watched:
    """A product in floating point that remembers how far its inputs reach."""

    def __init__(self, product: Product, reach: Reach) -> None:
        self._product, self._reach = product, reach

    def __call__(self, rows: Tensor) -> Tensor:
        return self._seen(rows, self._product)

    def gelu(self, rows: Tensor) -> Tensor:
        return self._seen(rows, self._product.gelu)

    def plus(self, rows: Tensor, other: Tensor) -> Tensor:
        return self._seen(rows, lambda inputs: self._product.plus(inputs, other))

    def _seen(self, rows: Tensor, then: Callable[[Tensor], Tensor]) -> Tensor:
        self._reach.cover(rows)
        return then(rows)


def int8_bert(model: "SentenceTransformer", *, dtype: torch.dtype) -> PackedBert | None:
    """This ``SentenceTransformer`` in 8-bit integers; None where it is not a plain BERT.

    ``model``: in float32. ``dtype``: of queries, keys and values, as attention computes.
    """
    reaches: dict[str, Reach] = {}

    def watched(name: str, weight: Tensor, bias: Tensor) -> Product:
        reaches[name] = Reach()
        return _Watched(FloatProduct(weight, bias), reaches[name])

    in_float = PackedBert.of(model, make=watched, dtype=torch.float32)
    if in_float is None:
        return None
    in_float.encode(_random_texts(model, in_float.words))
    scales = {name: Scale.over(reach) for name, reach in reaches.items()}

    def made(name: str, weight: Tensor, bias: Tensor) -> Product:
        layer, _, part = name.rpartition(".")
        then = scales[f"{layer}.down"] if part == "up" else None
        return Int8Product(weight, bias, taken=scales[name], then=then, dtype=dtype)

    return PackedBert.of(model, make=made, dtype=torch.float32)


def _random_texts(model: "SentenceTransformer", words: int) -> list[list[int]]:
    drawn = torch.Generator().manual_seed(0)
    return [
        [
            model.tokenizer.cls_token_id,
            *torch.randint(words, (tokens - 2,), generator=drawn).tolist(),
            model.tokenizer.sep_token_id,
        ]
        for tokens in _LENGTHS
    ]
