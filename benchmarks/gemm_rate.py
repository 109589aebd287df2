"""How fast this CPU multiplies matrices of the encoder's shapes, the weights lying as oneDNN wants them."""

import time

import torch

from retriever.bert.int8 import Int8Product, Reach, Scale
from retriever.bert.packed_bert import TOKENS_TOGETHER, FloatProduct

_SHAPES = ((384, 1152), (384, 384), (384, 1536), (1536, 384))  # in, out
_REPEATS = 20


def gemm_rate(dtype: torch.dtype) -> float:
    """GFLOP/s of the four products of a layer together, the best of several; torch.uint8: in 8-bit integers.

    Per second of the processor on one thread, else of the clock.
    """
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    operations = seconds = 0.0
    with torch.inference_mode():
        for width, out in _SHAPES:
            product, rows = _product(width, out, dtype)
            times = []
            for _ in range(_REPEATS):
                started = clock()
                product(rows)
                times.append(clock() - started)
            operations += 2 * TOKENS_TOGETHER * width * out
            seconds += min(times)
    return operations / seconds / 1e9


def _product(width: int, out: int, dtype: torch.dtype) -> tuple[FloatProduct | Int8Product, torch.Tensor]:
    weight, bias = torch.randn(out, width), torch.randn(out)
    if dtype is not torch.uint8:
        return FloatProduct(weight.to(dtype), bias.to(dtype)), torch.randn(
            TOKENS_TOGETHER, width, dtype=dtype
        )
    levels = torch.randint(0, 255, (TOKENS_TOGETHER, width), dtype=torch.uint8)
    scale = Scale.over(Reach(-1.0, 1.0))
    return Int8Product(weight, bias, taken=scale, then=None, dtype=torch.bfloat16), levels
