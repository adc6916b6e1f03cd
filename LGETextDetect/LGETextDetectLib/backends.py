"""Graph to callable: the only file that knows onnxruntime or torch, each imported when used."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from .refusal import InputRefused

Arrays = list[npt.NDArray[Any]]
Graph = Callable[..., Arrays]
Result = TypeVar("Result")
BACKENDS = ("auto", "onnx", "torch")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Chosen:
    """What runs the image networks: backend 'onnx' | 'torch' and device 'cpu' | 'cuda'.

    fault: what a GPU or a PyTorch that is there failed with, so that the CPU was taken; empty otherwise.
    """

    backend: str
    device: str
    fault: str = ""


def choose(backend: str = "auto", device: str = "auto", gpu: Callable[[], bool] | None = None) -> Chosen:
    """torch on a GPU that computes when both are there, else ONNX on the CPU; raises InputRefused for what is not there.

    gpu: as :func:`gpu_computes`.
    """
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
    if fault := torch_fault():
        if backend == "torch":
            raise InputRefused("no-torch", fault, "Install PyTorch again or use --backend onnx.")
        if device == "cuda":
            raise InputRefused("no-gpu", fault, "Install PyTorch again or use --device cpu.")
        return Chosen("onnx", "cpu", fault)
    if device == "cpu":
        return Chosen("torch", "cpu")
    has_gpu = False
    try:
        has_gpu = (gpu or gpu_computes)()
    except (RuntimeError, ImportError, OSError) as error:  # the latter of libraries that are loaded when used
        fault = f"PyTorch sees a GPU that does not compute ({type(error).__name__})."
    if device == "cuda" and not has_gpu:
        raise InputRefused("no-gpu", fault or "PyTorch sees no CUDA device.", "Use --device cpu.")
    if has_gpu:
        return Chosen("torch", "cuda")
    return Chosen("onnx" if backend == "auto" else "torch", "cpu", fault)


def torch_fault() -> str:
    """Why the PyTorch that is installed cannot be used, empty when it can: a library is missing, or half of it was removed."""
    try:
        import torch

        torch.cuda.is_available  # noqa: B018 - of a package whose files are gone the folder alone can be imported
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        return f"PyTorch is installed but cannot be loaded ({type(error).__name__})."
    return ""


def gpu_computes() -> bool:
    """Whether PyTorch sees a GPU; raises RuntimeError when a small convolution fails there: driver, architecture, memory."""
    import torch

    if not torch.cuda.is_available():
        return False
    with torch.inference_mode():
        image, kernel = (torch.ones(1, 1, n, n, device="cuda") for n in (8, 3))
        if float(torch.nn.functional.conv2d(image, kernel).sum()) != 324.0:
            raise RuntimeError("a convolution on the GPU gives a wrong answer")
    return True


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


class OnDevice:
    """Runs functions of a device there; from the first shortage of its memory on, on the CPU.

    release: called after the move, to give the device's memory back.
    """

    def __init__(self, device: str, release: Callable[[], None] = lambda: None) -> None:
        self.device = device
        self.fell_back = False
        self._release = release

    def __call__(self, work: Callable[[str], Result]) -> Result:
        try:
            return work(self.device)
        except RuntimeError as error:
            if self.device == "cpu" or not is_memory_shortage(error):
                raise
        self.device, self.fell_back = "cpu", True
        result = work("cpu")
        self._release()
        return result


def is_memory_shortage(error: RuntimeError) -> bool:
    """Whether the device's memory was short: torch.cuda.OutOfMemoryError, and what MPS and cuDNN raise instead of it."""
    return any(words in str(error).lower() for words in ("out of memory", "alloc_failed", "allocation_failed"))


class TorchGraph:
    """An image network from safetensors on one device; goes on on the CPU when the device's memory is short.

    Single precision without TensorFloat-32, as where the thresholds were fitted.
    """

    def __init__(self, kind: str, path: Path, settings: dict[str, Any], device: str) -> None:
        import torch

        from .unet import HeartGraph, ScarGraph, UNet

        network = UNet(settings["inputs"], settings["outputs"], tuple(settings["widths"]))
        state = {key: torch.from_numpy(value) for key, value in read_safetensors(path).items()}
        network.load_state_dict(state)
        self.module = (HeartGraph if kind == "heart" else ScarGraph)(network).eval()
        self._on_device = OnDevice(device, torch.cuda.empty_cache)
        self._on_device(self.module.to)

    @property
    def fell_back(self) -> bool:
        """Whether the device's memory was short."""
        return self._on_device.fell_back

    def __call__(self, **inputs: npt.NDArray[Any]) -> Arrays:
        (image,) = inputs.values()
        return self._on_device(lambda device: self._run(np.ascontiguousarray(image), device))

    def _run(self, image: npt.NDArray[Any], device: str) -> Arrays:
        import torch

        self.module.to(device)
        with torch.inference_mode(), single_precision(device):
            outputs = self.module(torch.from_numpy(image).to(device))
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            return [output.float().cpu().numpy() for output in outputs]


@contextmanager
def single_precision(device: str) -> Iterator[None]:
    """No mixed precision and no TensorFloat-32; cuDNN repeats itself."""
    import torch

    exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
    with torch.autocast(device, enabled=False), exact:
        yield


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
