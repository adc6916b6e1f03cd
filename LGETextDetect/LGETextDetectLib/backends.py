"""Graph to callable: the only file that knows onnxruntime or torch, each imported when used."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .refusal import InputRefused

Arrays = list[npt.NDArray[Any]]
Graph = Callable[..., Arrays]
BACKENDS = ("auto", "onnx", "torch")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Chosen:
    """What runs the image networks: backend 'onnx' | 'torch' and device 'cpu' | 'cuda'."""

    backend: str
    device: str


def choose(backend: str = "auto", device: str = "auto") -> Chosen:
    """torch on a GPU when both are there, else ONNX on the CPU; raises InputRefused for what is not there."""
    if backend not in BACKENDS or device not in DEVICES:
        raise ValueError(f"backend is one of {BACKENDS}, device one of {DEVICES}")
    wants_torch = backend == "torch" or (backend == "auto" and device != "cpu")
    if not wants_torch:
        if device == "cuda":
            raise InputRefused(
                "no-gpu", "the ONNX backend runs on the CPU only.", "Use --backend torch or --device cpu."
            )
        return Chosen("onnx", "cpu")
    has_torch = importlib.util.find_spec("torch") is not None
    if not has_torch:
        if backend == "torch":
            raise InputRefused(
                "no-torch", "PyTorch is not installed.", "Install the 'torch' extra or use --backend onnx."
            )
        if device == "cuda":
            raise InputRefused("no-gpu", "a GPU needs PyTorch, which is not installed.", "Install the 'torch' extra.")
        return Chosen("onnx", "cpu")
    import torch

    has_gpu = torch.cuda.is_available()
    if device == "cuda" and not has_gpu:
        raise InputRefused("no-gpu", "PyTorch sees no CUDA device.", "Use --device cpu.")
    if backend == "auto" and not has_gpu:
        return Chosen("onnx", "cpu")
    return Chosen("torch", "cuda" if has_gpu and device != "cpu" else "cpu")


def load_onnx(path: Path, threads: int = 0) -> Graph:
    """An ONNX file as a function of its named inputs (numpy) that returns its outputs in order."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(**inputs: npt.NDArray[Any]) -> Arrays:
        return list(session.run(None, inputs))

    return run


class TorchGraph:
    """An image network from safetensors on one device; falls back to the CPU when the GPU's memory is short."""

    def __init__(self, kind: str, path: Path, settings: dict[str, Any], device: str) -> None:
        import torch

        from .unet import HeartGraph, ScarGraph, UNet

        network = UNet(settings["inputs"], settings["outputs"], tuple(settings["widths"]))
        state = {key: torch.from_numpy(value) for key, value in read_safetensors(path).items()}
        network.load_state_dict(state)
        self.module = (HeartGraph if kind == "heart" else ScarGraph)(network).eval().to(device)
        self.device = device
        self.fell_back = False

    def __call__(self, **inputs: npt.NDArray[Any]) -> Arrays:
        import torch

        (image,) = inputs.values()
        try:
            with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=self.device == "cuda"):
                outputs = self.module(torch.from_numpy(np.ascontiguousarray(image)).to(self.device))
        except torch.cuda.OutOfMemoryError:
            torch.cuda.empty_cache()
            self.module, self.device, self.fell_back = self.module.to("cpu"), "cpu", True
            return self(**inputs)
        outputs = outputs if isinstance(outputs, tuple) else (outputs,)
        return [output.float().cpu().numpy() for output in outputs]


_SAFETENSORS_TYPES = {
    "F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32, "I8": np.int8, "U8": np.uint8,
}  # fmt: skip
SCALE = ".scale"  # ends the name of what an 8-bit tensor is multiplied by


@dataclass(frozen=True)
class StoredTensor:
    """Where a tensor lies in a safetensors file: type as the format names it, shape, first byte and number of bytes."""

    kind: str
    shape: tuple[int, ...]
    first: int
    length: int


def stored_tensors(path: Path) -> dict[str, StoredTensor]:
    """Header of a safetensors file (8-byte header length, JSON header, raw little-endian data) by tensor name."""
    import json

    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= path.stat().st_size - 8:
            raise InputRefused("bad-bundle", f"{path.name} is not a safetensors file.")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        tensors[name] = StoredTensor(entry["dtype"], tuple(entry["shape"]), 8 + length + first, last - first)
    return tensors


def read_safetensors(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Tensors of a safetensors file by name; weights stored in 8 bits come multiplied by their scale."""
    raw, tensors = path.read_bytes(), {}
    for name, stored in stored_tensors(path).items():
        data = np.frombuffer(raw[stored.first : stored.first + stored.length], _SAFETENSORS_TYPES[stored.kind])
        tensors[name] = data.reshape(stored.shape).copy()
    for name in [n for n in tensors if n + SCALE in tensors]:
        tensors[name] = tensors[name] * tensors.pop(name + SCALE)
    return tensors
