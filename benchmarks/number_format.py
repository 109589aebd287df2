"""How fast this CPU multiplies matrices in float32 and in bfloat16, and which of the two Loccit computes in here.

python -m benchmarks.number_format
"""

import time

import torch
import torch.nn.functional as F  # noqa: N812 - its usual name

from common.torch_runtime import native_dtype

# rows, in, out: of the reader, then of the language model
SHAPES = ((1536, 384, 1536), (300, 640, 2048), (25, 640, 2048), (1, 640, 2048))
REPEATS = 30


def gflops(rows: int, width: int, out: int, dtype: torch.dtype) -> float:
    """The best of many products, 2 x rows x width x out operations each."""
    states = torch.randn(rows, width, dtype=dtype)
    weight = torch.randn(out, width, dtype=dtype)
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        F.linear(states, weight)
        seconds.append(time.perf_counter() - started)
    return 2 * rows * width * out / min(seconds) / 1e9


def main() -> None:
    print(f"{torch.get_num_threads()} threads; Loccit computes in {native_dtype()}")
    print("rows x in x out: GFLOP/s in float32, in bfloat16, ratio")
    for rows, width, out in SHAPES:
        single, half = (gflops(rows, width, out, dtype) for dtype in (torch.float32, torch.bfloat16))
        print(f"{rows} x {width} x {out}: {single:.0f}, {half:.0f}, {half / single:.2f}")


if __name__ == "__main__":
    main()
