"""How models run under torch on this machine: in which number format, and how quietly they load."""

import ctypes
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from transformers import logging

KEPT_KERNELS = 128
"""Of the kernels that oneDNN makes, one for every shape of a product: some more than a question needs."""

# Read when the first product is made, so that whoever imports this module has them set in time: first oneDNN's own
# store, then that of torch's bridge to it. docs/decisions/0022-bounded-memory-and-calls.md
for _name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
    os.environ.setdefault(_name, str(KEPT_KERNELS))


def has_amx() -> bool:
    """Whether the CPU has matrix units for bfloat16 (AMX)."""
    return bool(cpu_capabilities().get("amx_bf16", False))


def computes_in_bfloat16() -> bool:
    """Whether the CPU multiplies matrices of bfloat16 faster than of float32.

    With AMX, and where AMD's AVX-512 multiplies pairs of bfloat16; Intel's does that at half the speed.
    """
    made_by_amd = "AMD" in str(cpu_capabilities().get("cpu_name", ""))
    return has_amx() or (made_by_amd and bool(cpu_capabilities().get("avx512_bf16", False)))


def native_dtype() -> torch.dtype:
    """bfloat16 where the CPU multiplies matrices of it, several times as fast there; else float32."""
    return torch.bfloat16 if computes_in_bfloat16() else torch.float32


def use_threads(threads: int) -> None:
    """Let torch use so many CPU threads from now on, in the whole process."""
    torch.set_num_threads(threads)


def return_freed_memory() -> None:
    """Hand what loading used and freed back to the system, where the C library (glibc) can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


@contextmanager
def no_progress_bar() -> Iterator[None]:
    """Models load without transformers' progress bar while the block runs."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def cpu_capabilities() -> Mapping[str, object]:
    """What the CPU can, by torch's names; nothing where torch cannot say."""
    ask = getattr(torch.cpu, "get_capabilities", None)
    return {} if ask is None else ask()
