"""Which number format models compute in."""

import pytest
import torch

from common.torch_runtime import native_dtype

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
