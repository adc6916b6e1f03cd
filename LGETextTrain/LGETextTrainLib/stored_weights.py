"""Weights as a bundle stores them: once, in safetensors, large matrices in 8 bits; the ONNX graph reads the same bytes.

A matrix is kept as int8 with one scale for every output channel. In the graph it is Cast and Mul of that, which runtimes
work out once, when they load it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from LGETextDetectLib.backends import SCALE
from onnx import TensorProto, helper
from safetensors.torch import save_file
from torch import Tensor

LARGE = 1000  # numbers: smaller tensors keep their 32 bits
LEVELS = 127  # of an 8-bit number, to either side of zero
_TYPES = {"F32": TensorProto.FLOAT, "I8": TensorProto.INT8}


def save_weights(state: Mapping[str, Tensor], path: Path) -> None:
    """Write a network's weights; backends.read_safetensors gives them back, rounded."""
    save_file(_stored(state), str(path))


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
    places = _places(weights)
    model = onnx.load(str(graph))
    kept, nodes = [], []
    for tensor in model.graph.initializer:
        name = tensor.name.removeprefix(prefix)
        if name not in places:
            kept.append(tensor)
        elif name + SCALE not in places:
            kept.append(_external(tensor.name, *places[name], weights))
        else:
            parts = [
                _external(tensor.name + end, *places[name + stored], weights)
                for end, stored in ((".int8", ""), (SCALE, SCALE))
            ]
            kept += parts
            nodes += [
                helper.make_node("Cast", [parts[0].name], [tensor.name + ".float"], to=TensorProto.FLOAT),
                helper.make_node("Mul", [tensor.name + ".float", parts[1].name], [tensor.name]),
            ]
    nodes += model.graph.node
    for field, values in ((model.graph.initializer, kept), (model.graph.node, nodes)):
        del field[:]
        field.extend(values)
    onnx.save(model, str(graph))
    onnx.checker.check_model(str(graph))


Place = tuple[str, list[int], int, int]  # type, shape, offset in the file, bytes


def _places(weights: Path) -> dict[str, Place]:
    with weights.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return {
        name: (entry["dtype"], entry["shape"], 8 + length + entry["data_offsets"][0],
               entry["data_offsets"][1] - entry["data_offsets"][0])
        for name, entry in header.items()
    }  # fmt: skip


def _external(name: str, kind: str, shape: list[int], offset: int, length: int, weights: Path) -> TensorProto:
    tensor = TensorProto(name=name, data_type=_TYPES[kind], dims=shape, data_location=TensorProto.EXTERNAL)
    for key, value in (("location", weights.name), ("offset", str(offset)), ("length", str(length))):
        tensor.external_data.add(key=key, value=value)
    return tensor
