"""The number format that this machine's CPU multiplies fastest without losing the answer."""

import torch

_NATIVE_BFLOAT16 = ("avx512_bf16", "amx_bf16")


def native_dtype() -> torch.dtype:
    """bfloat16 where the CPU has instructions for it (about three times as fast there), else float32."""
    if not hasattr(torch.cpu, "get_capabilities"):  # torch before 2.8 does not tell
        return torch.float32
    capabilities = torch.cpu.get_capabilities()
    native = any(capabilities.get(name, False) for name in _NATIVE_BFLOAT16)
    return torch.bfloat16 if native else torch.float32
