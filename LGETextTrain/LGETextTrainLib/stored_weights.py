"""Weights as a bundle stores them: once, in safetensors, large matrices in 8 bits; the ONNX graph reads the same bytes.

A matrix is kept as int8 with one scale for every output channel. In the graph it is Cast and Mul of that, which runtimes
work out once, when they load it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from LGETextDetectLib.backends import SCALE, StoredTensor, stored_tensors
from onnx import TensorProto, helper
from safetensors.torch import save
from torch import Tensor

LARGE = 1000  # numbers: smaller tensors keep their 32 bits
LEVELS = 127  # of an 8-bit number, to either side of zero
_TYPES = {"F32": TensorProto.FLOAT, "I8": TensorProto.INT8}


def save_weights(state: Mapping[str, Tensor], path: Path) -> None:
    """Write a network's weights; backends.read_safetensors gives them back, rounded."""
    path.write_bytes(save(_stored(state)))  # not save_file, which lets nobody but its owner read the file


def _stored(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    stored: dict[str, Tensor] = {}
    for name, value in state.items():
        if value.ndim < 2 or value.numel() < LARGE:
            stored[name] = value.detach().cpu().clone().contiguous()
            continue
        matrix = value.detach().cpu().float()
        scale = matrix.abs().amax(tuple(range(1, matrix.ndim)), keepdim=True).clamp(min=1e-12) / LEVELS
        stored[name], stored[name + SCALE] = (matrix / scale).round().to(torch.int8).contiguous(), scale
    return stored


def read_weights_from(graph: Path, weights: Path, prefix: str = "") -> None:
    """Take the weights out of an ONNX file, in place: it reads those of a safetensors file beside it.

    ``prefix`` is what the graph's names have before the file's.
    """
    stored = stored_tensors(weights)
    model = onnx.load(str(graph))
    kept, nodes = [], []
    for tensor in model.graph.initializer:
        name = tensor.name.removeprefix(prefix)
        if name not in stored:
            kept.append(tensor)
        elif name + SCALE not in stored:
            kept.append(_external(tensor.name, stored[name], weights))
        else:
            levels = _external(tensor.name + ".int8", stored[name], weights)
            scale = _external(tensor.name + SCALE, stored[name + SCALE], weights)
            kept += [levels, scale]
            nodes += [
                helper.make_node("Cast", [levels.name], [tensor.name + ".float"], to=TensorProto.FLOAT),
                helper.make_node("Mul", [tensor.name + ".float", scale.name], [tensor.name]),
            ]
    nodes += model.graph.node
    for field, values in ((model.graph.initializer, kept), (model.graph.node, nodes)):
        del field[:]
        field.extend(values)
    onnx.save(model, str(graph))
    onnx.checker.check_model(str(graph))


def _external(name: str, stored: StoredTensor, weights: Path) -> TensorProto:
    tensor = TensorProto(
        name=name, data_type=_TYPES[stored.kind], dims=stored.shape, data_location=TensorProto.EXTERNAL
    )
    for key, value in (("location", weights.name), ("offset", str(stored.first)), ("length", str(stored.length))):
        tensor.external_data.add(key=key, value=value)
    return tensor
