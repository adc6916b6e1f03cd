"""Mixed precision where the hardware has it: bfloat16 on GPUs and CPUs that compute in it, single precision elsewhere."""

from __future__ import annotations

import inspect
from contextlib import AbstractContextManager

import torch

# Functions of torch.cpu; to a torch without them no CPU has it.
CPU_FEATURES = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
AMPERE = (8, 0)  # compute capability of the first NVIDIA GPUs that compute in bfloat16


def has_fast_bfloat16(device_type: str) -> bool:
    """Whether bfloat16 is faster than float32 there: AVX512_BF16 or AMX on a CPU, a GPU that computes in it ('cuda').

    Others only emulate it. CPUs with AVX-512 alone do, too: a training step of the heart network took 1.5 s instead of
    0.6 s on one of them, of the scar network without AVX-512 8.8 s instead of 2.1 s. GPUs before Ampere (V100, T4) do,
    and torch calls it supported there unless asked to leave emulation out.
    """
    if device_type != "cpu":
        return _gpu_computes_bfloat16()
    return any(getattr(torch.cpu, name, lambda: False)() for name in CPU_FEATURES)


def _gpu_computes_bfloat16() -> bool:
    """Of the present GPU; where torch cannot leave emulation out, as older ones, it is asked for the GPU's generation."""
    if "including_emulation" in inspect.signature(torch.cuda.is_bf16_supported).parameters:
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cuda.get_device_capability() >= AMPERE)


def mixed_precision(device_type: str) -> AbstractContextManager[object]:
    """Autocast to bfloat16 for a device type ('cpu', 'cuda') where that is faster, else nothing."""
    return torch.autocast(device_type, torch.bfloat16, enabled=has_fast_bfloat16(device_type))
