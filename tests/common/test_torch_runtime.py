"""Which number format models compute in, and what is kept between products."""

import ctypes
import os
import subprocess
import sys

import pytest
import torch

from common.torch_runtime import native_dtype, return_freed_memory

AMD, INTEL = "AMD EPYC 9655", "Intel(R) Xeon(R) Platinum 8581C"


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"cpu_name": INTEL, "amx_bf16": True, "avx512_bf16": True}, torch.bfloat16),
        ({"cpu_name": INTEL, "amx_bf16": False, "avx512_bf16": True}, torch.float32),
        ({"cpu_name": AMD, "amx_bf16": False, "avx512_bf16": True}, torch.bfloat16),
        ({"cpu_name": AMD, "amx_bf16": False, "avx512_bf16": False}, torch.float32),
        ({"architecture": "arm64"}, torch.float32),
    ],
)
def test_bfloat16_is_for_cpus_that_multiply_it_faster(monkeypatch, capabilities, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert native_dtype() is expected


def test_a_torch_that_cannot_say_computes_in_float32(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert native_dtype() is torch.float32


_PRODUCTS = """
import torch
import common.torch_runtime

def multiply(rows):
    torch.nn.functional.linear(torch.ones(rows, 64, dtype=torch.bfloat16), weight)

weight = torch.ones(64, 64, dtype=torch.bfloat16)
with torch.inference_mode():
    for rows in [*range(8, 8 + 2 * common.torch_runtime.KEPT_KERNELS), 8]:
        multiply(rows)
"""


def test_few_of_the_kernels_that_products_of_many_shapes_need_are_kept():
    """Each takes half a megabyte and more: a service that kept all grew with every new length of a text."""
    environment = {**os.environ, "ONEDNN_VERBOSE": "profile_create"}
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        environment.pop(name, None)
    ran = subprocess.run(
        [sys.executable, "-c", _PRODUCTS], env=environment, capture_output=True, text=True, check=True
    )
    made = [
        line.split(",") for line in ran.stdout.splitlines() if "create:cache" in line and ",matmul," in line
    ]
    if not made:
        pytest.skip("oneDNN multiplies no bfloat16 on this processor")
    first = [fields[3] for fields in made if "8x64:64x64" in fields]
    assert first == ["create:cache_miss"] * 2  # let go of in between, and made again


def test_memory_that_was_freed_can_be_handed_back_anywhere(monkeypatch):
    return_freed_memory()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())  # a C library without malloc_trim
    return_freed_memory()
